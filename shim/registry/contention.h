/*
 * How locks are used: by each place that takes one (a stack) and each lock how often it was taken, how
 * long threads waited there, how long it was held from there, and how long others were made to wait
 * meanwhile. Kept in REC_USES (struct rec_use).
 *
 *   taken       exact. Counted in cells of the thread's own (as registry/count.h counts blocks): the way of a
 *               lock that nobody else wants pays for one comparison and one addition, and reads no clock.
 *   waited      exact, by the clock, where the lock was seen taken when it was asked for. One that is taken in
 *               the nanoseconds between that look and the real call counts as not waited for.
 *   held        by the clock where the taker had waited for it, so where there is contention; other holds are
 *               sampled: what the reporter thread finds held at its tick counts for the time between two
 *               ticks. The sum is right on average; a longest one that was sampled is right to a tick, never too high.
 *   made wait   what the waiters of a lock have waited is charged, when it is given back, to the place that
 *               took it: each waiter's time since it began to wait, or since the lock last changed hands. So the
 *               charges add up to the waits, but for the time in which the lock was free and the next one not
 *               yet awake. (A waiter that gives up is charged to nobody for its last piece.)
 *
 * Waits of semaphores and condition variables are no contention and are not counted, and the mutex that a
 * condition wait takes back is taken inside of libc, where neither a wait nor an acquisition is seen.
 *
 * Memory is bounded: of the locks that one place takes the first CONTENTION_LOCKS_EACH have a use of their own, the
 * others share one; a table that is full counts what it lost.
 */
#ifndef WH_REGISTRY_CONTENTION_H
#define WH_REGISTRY_CONTENTION_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"
#include "registry/thread.h"

/* Chosen somewhat arbitrarily: an array of stripes is told one by one, thousands of nodes are not. */
#define CONTENTION_LOCKS_EACH 8u

/*
 * The place among the thread's own cells of the use of a stack and a handle. Stacks are numbered by eights of bytes,
 * locks are a few words apart.
 */
ALWAYS_INLINE struct rec_use_cell *contention_cell(struct rec_use_cells *cells, stack_id stack,
						   uint64_t handle)
{
	const uint64_t at = (stack ^ (uint32_t)(handle >> 3)) & self.use_mask;
	const uint64_t between =
	    sizeof *cells - sizeof cells->cells; /* the cells of one block and the next */
	return (struct rec_use_cell *)((char *)&cells->cells[at] + at / REC_USE_CELLS_EACH * between);
}

/* A lock of that kind was taken, and was not held by the taker before. Context: hook, with self.busy held. Keeps errno. */
static inline void contention_acquired(enum kind kind, uint64_t handle, enum mode mode, enum op op,
				       stack_id stack);

/* A call that may have to wait for a lock that seems taken. */
struct contended {
	uint64_t handle;
	nsec_t asked; /* 0: it is over, or there was nothing to wait for */
	stack_id stack;
	uint8_t kind, mode;
	uint16_t op;
	bool queued;
};

/*
 * The calling thread is about to call what may block on `handle`, from `stack`. The real call's end is
 * contention_over, once the hold is recorded (`taken`) or the wait is over without one; where it ends otherwise
 * (cancelled, unwound) contention_left, which may also be called after contention_over: a cleanup.
 * contention_wait answers when the wait began: now.
 *
 * Context: hook. Keep errno.
 */
nsec_t contention_wait(struct contended *wait, enum kind kind, uint64_t handle, enum mode mode, enum op op,
		       stack_id stack);
void contention_over(struct contended *wait, bool taken);
void contention_left(struct contended *wait);

/* Whether any thread of the process waits for some lock now. Context: signal. */
static inline bool contention_anywhere(void);

/*
 * The calling thread gives `hold`, one of its own, up: its time counts if it is timed, and what others have waited for
 * it meanwhile if there are any. Before the real release. It is timed no more. Context: hook, with self.busy held. Keeps errno.
 */
void contention_released(struct rec_hold *hold);

/*
 * For the reporter thread, at each tick: what is held now has been held for `span`, the time since the last tick, on
 * average. Context: reporter.
 */
void contention_sample(nsec_t now, nsec_t span);

/* The thread ends: its cells go to the uses and back to the recording. In a fork child: start with none. Context: hook. */
void contention_thread_end(void);
void contention_fork_child(void);

/* -- the fast way ------------------------------------------------------------ */

extern HIDDEN uint32_t contention_waiters;

static inline bool contention_anywhere(void)
{
	return __atomic_load_n(&contention_waiters, __ATOMIC_RELAXED) != 0;
}

void contention_otherwise(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack);

static inline void contention_acquired(enum kind kind, uint64_t handle, enum mode mode, enum op op,
				       stack_id stack)
{
	struct rec_use_cells *cells = self.use_cells;
	if (LIKELY(cells)) {
		struct rec_use_cell *cell = contention_cell(cells, stack, handle);
		if (LIKELY(cell->handle == handle && cell->stack == stack)) {
			/* Only this thread writes it, and no handler of its own comes between; readers want whole words. */
			uint64_t taken = atomic_load_explicit(&cell->taken, memory_order_relaxed);
			atomic_store_explicit(&cell->taken, taken + 1, memory_order_relaxed);
			return;
		}
	}
	contention_otherwise(kind, handle, mode, op, stack);
}

#endif
