/*
 * Memory that a copy of the process would not have, or not what is in it: madvise with MADV_DONTFORK and
 * MADV_WIPEONFORK. A search for lost memory looks at a copy, and pointers in there count.
 *
 * Noted when the program asks for it, and never forgotten: what such a place holds later is as good as it was.
 */
#ifndef WH_PLATFORM_UNFORKED_H
#define WH_PLATFORM_UNFORKED_H

#include "base/types.h"

/* Context: hook. Whether anything of these advices has a range noted; others are ignored. */
void unforked_note(uint64_t start, uint64_t bytes, int advice);

/* In a fork child, which has the ranges: another thread may have been noting one. Context: hook. */
void unforked_fork_child(void);

/* Copies of what is in these places. */
struct unforked {
	void *copies; /* NULL: there are none */
	uint64_t bytes;
};

/*
 * Makes room for as much as there is just now, so that less is to be done while the program stands still. May be left out.
 * Context: reporter.
 */
void unforked_prepare(struct unforked *unforked);

/*
 * Takes copies, before the process is copied: once. Return: 0, or -E2BIG: it is too much, or not all was noted, and nothing is to
 * be put back. In both cases unforked_release is to follow. Context: reporter.
 */
int unforked_save(struct unforked *unforked);
void unforked_release(struct unforked *unforked);

/* In the copy of the process: puts everything back into its place. Context: reporter, in a copy. */
void unforked_restore(const struct unforked *unforked);

#endif
