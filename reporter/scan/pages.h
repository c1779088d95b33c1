/*
 * Which pages of this process hold anything that it wrote: /proc/self/pagemap.
 * A page that was never touched need not be read (and by being read would come to
 * life); a page of a file that was only read holds what the linker put there, and
 * can't fault when the file has been cut meanwhile if nobody looks at it.
 *
 * Where the page map can't be read, every page is worth reading. What was read
 * of it is kept: for the length of one scan, in which the program does not run.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_PAGES_H
#define WH_REPORTER_SCAN_PAGES_H

#include "base/types.h"
#include "reporter/scan/ranges.h"

enum pages_want {
	PAGES_ANY,     /* in memory or swapped out */
	PAGES_WRITTEN, /* of those, the process's own copies: not the pages of a file */
};

struct pages {
	int fd;         /* negative: can't be read */
	uint64_t first; /* page number of entries[0] */
	uint64_t count; /* entries that are good */
	uint64_t *entries;
	bool one_by_one; /* the kernel does not say where the next page is that is there (before Linux 6.7) */
};

#define PAGE_BYTES ((uint64_t)4096)

void pages_open(struct pages *pages);
void pages_close(struct pages *pages);

/*
 * The first piece of [start, end) whose pages are such; all of it where that is not known.
 * Return: false: there is none. Goes by whole pages, and answers pieces of some megabytes at the most.
 */
bool pages_next_run(struct pages *pages, uint64_t start, uint64_t end, enum pages_want want,
		    struct range *ret_run);

#endif
