/*
 * A lock for the tracker's own slow paths: short, never held over a system call
 * that can block, never while anything of the program's runs. The waiter spins,
 * then yields for a bounded time, and then goes without (false): a lock of ours must never hang
 * the host. What could not be done without the lock is counted as lost.
 *
 * Context: hook. A signal handler that interrupts the holder on the same thread
 * finds self.busy set and does not come here.
 */
#ifndef WH_PLATFORM_LOCK_H
#define WH_PLATFORM_LOCK_H

#include "base/context.h"
#include "base/types.h"

struct lock {
	uint32_t word; /* 0 free, 1 held */
};

/* For lock_take, where it is held. */
bool lock_take_later(struct lock *lock);

static inline bool lock_take_once(struct lock *lock)
{
	uint32_t expected = 0;
	return __atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 &&
	       __atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline bool lock_take(struct lock *lock)
{
	return LIKELY(lock_take_once(lock)) || lock_take_later(lock);
}

/* Spins for a moment at the most. For what can as well be left out. */
bool lock_try(struct lock *lock);

static inline void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

#endif
