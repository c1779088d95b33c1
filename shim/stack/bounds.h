/*
 * Where a thread's own stack is: the range that stays mapped for as long as frames
 * on it live, so that it can be read without asking each time.
 *
 * Its upper end is known: the thread pointer lies right above the stack of every thread but
 * the first, and the loader keeps that of the first. The lower end is where
 * the thread was seen so far: when it is seen further down, the pages in between are
 * asked for, and where one of them can't be read it is on another stack (a signal handler's, a coroutine's).
 * That is remembered for a few stacks, or each capture there would ask again.
 */
#ifndef WH_STACK_BOUNDS_H
#define WH_STACK_BOUNDS_H

#include "base/context.h"
#include "base/types.h"

#define BOUNDS_OTHERS 4u

struct bounds {
	uint64_t low, high; /* 0: not found yet */
	struct {
		uint64_t low, high;
	} others[BOUNDS_OTHERS]; /* where a thread was that was not on its own stack */
	uint32_t next_other;
};

bool bounds_look(struct bounds *bounds, uint64_t sp);

/* Whether `sp` is on the calling thread's own stack. Context: hook. */
static inline bool bounds_cover(struct bounds *bounds, uint64_t sp)
{
	return LIKELY(sp >= bounds->low && sp < bounds->high) || bounds_look(bounds, sp);
}

#endif
