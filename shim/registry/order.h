/*
 * The order in which locks are taken: edges from what a thread holds to what it
 * acquires meanwhile, for the detector lock-order. Only acquisitions that may block for ever
 * make edges (no trylock, no timeout), but what is held may have come any way. Locks of files and streams and annotated
 * ones make none, but who has them is kept apart by them like by any other.
 *
 * Hot path: a hash of all that the thread holds, outermost first, is looked for in a
 * small table of the thread's own. Once it has been seen that is all: constant time but
 * for the hash, no shared line written. The hash covers whatever makes an old answer
 * stale: locks that have been made or destroyed (a counter by address), threads that
 * were created or joined (the times of an edge matter), and now and then time itself,
 * since memory may be reused for another lock without a call that tells.
 *
 * What is new is entered into REC_LOCKS and REC_EDGES under one short lock. Memory is bounded:
 * tables that are full count what they lost, and of thousands of locks that were made in one place
 * some hundred pairs are enough.
 */
#ifndef WH_REGISTRY_ORDER_H
#define WH_REGISTRY_ORDER_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* Combinations that a thread remembers, a page of them: a power of two. */
#define ORDER_SEEN 512u

/* By a hash of the address: how often locks there have been made or destroyed. */
#define ORDER_CHANGES 4096u
extern HIDDEN uint32_t order_changes[ORDER_CHANGES];

/* Ticks after which what has been seen is entered again, as a power of two: some seconds. */
#define ORDER_REFRESH 6

static inline uint32_t *order_change_of(uint64_t handle)
{
	return &order_changes[(handle * UINT64_C(0x9e3779b97f4a7c15)) >> 52];
}

/* For order_acquired: what is new. */
void order_learn(const struct rec_thread *slot, uint32_t holds, uint64_t seen);

/* A hash of the `holds` entries of the calling thread's slot, and of what makes an old answer stale. */
static inline uint64_t order_hash(const struct rec_thread *slot, uint32_t holds)
{
	uint64_t seen =
	    atomic_load_explicit(&recording->tables[REC_LINEAGE].used, memory_order_relaxed) ^
	    (uint64_t)(atomic_load_explicit(&recording->era, memory_order_relaxed) >> ORDER_REFRESH) << 40;
	for (const struct rec_hold *hold = slot->holds; hold < slot->holds + holds; hold++) {
		uint64_t change = __atomic_load_n(order_change_of(hold->handle), __ATOMIC_RELAXED);
		seen = (seen ^ hold->handle ^ change << 48 ^ (uint64_t)hold->mode << 62) *
		       UINT64_C(0xff51afd7ed558ccd);
		seen ^= seen >> 32;
	}
	return seen;
}

/*
 * The newest of the `holds` entries of the calling thread's slot has just been acquired, by a call that could
 * have blocked. Context: hook, with self.busy 0. Keeps errno.
 */
static inline void order_acquired(const struct rec_thread *slot, uint32_t holds)
{
	uint64_t seen = order_hash(slot, holds);
	const uint64_t *mine = self.order_seen;
	if (UNLIKELY(!mine || mine[seen % ORDER_SEEN] != seen))
		order_learn(slot, holds, seen);
}

/* By which call, from where. */
struct order_how {
	stack_id stack;
	uint16_t op;
};

/*
 * A mutex that a wait for a condition had given up has been acquired again, perhaps with locks held that were taken after
 * it. Context: hook, with self.busy 0. Keeps errno.
 */
void order_again(const struct rec_thread *slot, uint64_t handle, const struct order_how *how);

/* The semaphore at that address is used in a way that no lock is. Context: hook. */
void order_no_lock(uint64_t handle);

/* The lock at that address was made or destroyed: what is there from now on is another one. Context: hook. */
void order_forget(uint64_t handle);

/* The same of all locks in memory that is gone, from `from` to below `to`. Cheap where none was seen there. */
void order_forget_range(uint64_t from, uint64_t to);

/* A thread is about to make another one / has joined it. Context: hook, with self.busy held. */
void order_created(thread_id by, thread_id of);
void order_joined(thread_id by, thread_id of);

/* The calling thread ends. Context: hook. */
void order_thread_end(void);

/* In a fork child: nothing is known yet. Context: hook. */
void order_fork_child(void);

#endif
