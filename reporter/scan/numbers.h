/*
 * Numbers of descriptors that the program still knows: one that stands anywhere in what it can get at, as an int, a short, a value of
 * a language that marks its integers or a text of its own, that the kernel polls for it, or that it has waited for by its bit (select). The
 * others nobody can close any more. All are known where requests may be on their way through an io_uring, which has no memory to show.
 *
 * Conservative, as for pointers: an int that is the same by chance counts, so in a large program small numbers are hardly ever lost.
 * libc's data and the loader's are left out, where streams keep numbers of their own, and so is what the kernel puts above the main
 * thread's stack. What can't be seen is a number that is kept as an index alone.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_NUMBERS_H
#define WH_REPORTER_SCAN_NUMBERS_H

#include "base/text.h"
#include "base/types.h"
#include "registry/snapshot.h"
#include "reporter/scan/ranges.h"

#define NUMBERS_MOST 65536u

struct numbers {
	struct range ignored[8]; /* addresses that are not looked at */
	uint32_t ignored_count;
	uint32_t limit; /* above all that are looked for */
	uint64_t wanted[NUMBERS_MOST / 64], known[NUMBERS_MOST / 64];
};

/*
 * Those of the open descriptors in `snapshot`. Return: NULL: there are none, or no memory; else the caller's until
 * numbers_free, for which NULL is fine.
 */
struct numbers *numbers_make(const struct snapshot *snapshot);
void numbers_free(struct numbers *numbers);

/* What stands from `start` to `end` is no number of the program's. */
void numbers_ignore(struct numbers *numbers, uint64_t start, uint64_t end);

/* Notes those that stand in `words`; what the kernel polls for process `pid` (0: of the calling thread). */
void numbers_look(struct numbers *numbers, const uint64_t *words, uint64_t count);
void numbers_polled(struct numbers *numbers, int32_t pid);

/* Whether it was seen, or can't be told. */
bool numbers_known(const struct numbers *numbers, uint64_t number);

/*
 * Whether `number`, which nothing knows, is a loss to task `tid` of this process: it is open, and has no lock on its file, which may be
 * what it is for.
 */
bool numbers_lose(int32_t tid, uint64_t number);

/* What it is open on, into `target`: a path, or a word (socket, pipe). Return: false: it can't be told. */
bool numbers_target(int32_t tid, uint64_t number, struct text *target);

#endif
