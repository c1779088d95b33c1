/*
 * How much memory libc's allocator has from the kernel, arena by arena, and how much of
 * it is allocated (REC_ARENAS); and which sites' blocks keep its pages from being given back.
 *
 * Without asking the allocator: mallinfo2 and malloc_info take the locks of its arenas, which a thread
 * that is stuck may hold. The mappings tell where the arenas are, the page map what of
 * them is in memory, and our own table what is live. Another allocator than
 * libc's, or a page map that can't be read: nothing is known, and nothing said.
 *
 * One owner, the reporter thread. Context: reporter.
 */
#ifndef WH_REPORTER_ARENAS_H
#define WH_REPORTER_ARENAS_H

#include "registry/view.h"

struct arenas_sum {
	uint64_t taken; /* bytes in memory (or swapped out); 0: not known */
	uint64_t live;  /* of them allocated, with what each block costs besides */
};

/* Begins anew. `every`: how often to measure; 0: never. */
void arenas_start(nsec_t every);

/*
 * To be called each tick; the sum is of the last time that was measured. Measuring reads the page map (a word
 * a page), and where there is much memory walks the live blocks; it takes up no more than a hundredth of the time.
 */
struct arenas_sum arenas_tick(const struct view *view, nsec_t now);

#endif
