/*
 * The time at which holds and waits begin, for next to nothing: the moment of the
 * reporter thread's last look, in a word that it publishes at each tick. So an age
 * is right to about a tick, never too low, and the hot paths ask no clock. Where no
 * reporter thread runs (a process that has just begun, one that has been
 * paused or sandboxed) the word is 0 and the clock is asked.
 *
 * All functions: CLOCK_MONOTONIC, ns. Context: signal.
 */
#ifndef WH_REGISTRY_CLOCK_H
#define WH_REGISTRY_CLOCK_H

#include "base/context.h"
#include "base/types.h"
#include "platform/sys.h"

/* In a cache line of its own, which everybody reads and one thread writes ten times a second. */
struct clock_published {
	_Alignas(64) nsec_t now; /* 0: nobody keeps it fresh */
};

extern HIDDEN struct clock_published clock_published;

/* For the reporter thread: it is `now`; 0 when it stops looking. */
static inline void clock_publish(nsec_t now)
{
	__atomic_store_n(&clock_published.now, now, __ATOMIC_RELAXED);
}

/* The published word as it is; 0: none. */
static inline nsec_t clock_peek(void)
{
	return __atomic_load_n(&clock_published.now, __ATOMIC_RELAXED);
}

/* Right to about a tick. */
static inline nsec_t clock_tick(void)
{
	nsec_t now = clock_peek();
	return LIKELY(now) ? now : sys_monotonic_coarse();
}

#endif
