/*
 * The hot path of a lock: a wait that becomes a hold and ends, in the thread's own
 * slot alone. What it does is what wait_begin, wait_end, hold_begin and hold_end do,
 * for the case that most locks are in: no wait around this one, room for
 * a hold, a lock not held already. Where that is not so each function answers
 * false, has done nothing, and the general function is called instead.
 *
 * It is short because an entry of the slot that the counts in rec_thread.word do not
 * cover is nobody else's business: it is filled in at leisure, and one store of the
 * word both shows it and says that something has changed. A reader that copied the
 * entry before sees another word after its copy. On the way the wait is taken
 * back in the same store that shows the hold, so no reader sees neither.
 *
 * A signal handler may come anywhere in between. What it would record is dropped
 * (self.busy), as in the general functions: the word stored must be the one loaded, plus the change.
 *
 * All functions: Context: hook, with self.busy 0. Keep errno.
 */
#ifndef WH_REGISTRY_ACQUIRE_H
#define WH_REGISTRY_ACQUIRE_H

#include "base/context.h"
#include "registry/clock.h"
#include "registry/contention.h"
#include "registry/format.h"
#include "registry/kind.h"
#include "registry/order.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* What to add to rec_thread.word. A change counts two, since odd means: being written. */
#define WORD_HOLD UINT64_C(1)
#define WORD_WAIT (UINT64_C(1) << 16)
#define WORD_CHANGE (UINT64_C(2) << 32)

_Static_assert(offsetof(struct rec_thread, hold_count) == 0 && offsetof(struct rec_thread, wait_depth) == 2 &&
		   offsetof(struct rec_thread, changes) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "a change carries out of the top of the word, and into nothing");

static inline uint32_t word_holds(uint64_t word)
{
	return word & 0xffff;
}

static inline uint32_t word_waits(uint64_t word)
{
	return word >> 16 & 0xffff;
}

/* Until acquire_leave this thread alone changes the slot, handlers included. Return: its word. */
static inline uint64_t acquire_enter(const struct rec_thread *slot)
{
	self.busy = 1;
	/* Against handlers (the compiler), and against readers: nothing written before the word that hid the entry. */
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
	return atomic_load_explicit(&slot->word, memory_order_relaxed);
}

static inline void acquire_show(struct rec_thread *slot, uint64_t word)
{
	atomic_store_explicit(&slot->word, word + WORD_CHANGE, memory_order_release);
}

/* Return: `done`. */
static inline bool acquire_leave(bool done)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self.busy = 0;
	return done;
}

/* The calling thread, whose slot this is, is about to call what may block. `since`: see registry/clock.h. */
static inline bool acquire_wait(struct rec_thread *slot, enum kind kind, uint64_t handle, enum mode mode,
				enum op op, stack_id stack, const void *frame, nsec_t since)
{
	uint64_t word = acquire_enter(slot);
	if (UNLIKELY(word_waits(word)))
		return acquire_leave(false);
	struct rec_wait *wait = &slot->waits[0];
	wait->handle = handle;
	wait->handle2 = 0;
	wait->since = since;
	wait->sp = (uintptr_t)frame;
	wait->stack = stack;
	wait->target = 0;
	wait->serial = ++slot->serial;
	wait->op = (uint16_t)op;
	wait->kind = (uint8_t)kind;
	wait->mode = (uint8_t)mode;
	wait->timed = false;
	wait->kept = false;
	acquire_show(slot, word + WORD_WAIT);
	return acquire_leave(true);
}

static inline bool acquire_is_held(const struct rec_thread *slot, uint32_t holds, enum kind kind,
				   uint64_t handle)
{
	for (const struct rec_hold *hold = slot->holds; hold < slot->holds + holds; hold++)
		if (hold->handle == handle && hold->kind == kind)
			return true;
	return false;
}

/* The wait that acquire_wait began is over, and the lock is the thread's, `since` then (0: now). */
static inline bool acquire_hold(struct rec_thread *slot, enum kind kind, uint64_t handle, enum mode mode,
				enum op op, stack_id stack, nsec_t since)
{
	uint64_t word = acquire_enter(slot);
	uint32_t holds = word_holds(word);
	if (UNLIKELY(word_waits(word) != 1 || holds >= REC_SLOT_HOLDS ||
		     acquire_is_held(slot, holds, kind, handle)))
		return acquire_leave(false);
	/* container, amount, name: a lock has none, and they are 0 in every entry of a slot. */
	struct rec_hold *hold = &slot->holds[holds];
	hold->handle = handle;
	hold->since = since ? since : clock_tick();
	hold->stack = stack;
	hold->count = 1;
	hold->owner = slot->id;
	hold->serial = ++slot->serial;
	hold->op = (uint16_t)op;
	hold->kind = (uint8_t)kind;
	hold->mode = (uint8_t)mode;
	atomic_store_explicit(&hold->state_word, HOLD_LIVE, memory_order_relaxed);
	hold->era = atomic_load_explicit(&recording->era, memory_order_relaxed);
	acquire_show(slot, word - WORD_WAIT + WORD_HOLD);
	contention_acquired(kind, handle, mode, op, stack);
	acquire_leave(true);
	if (holds)
		order_acquired(slot, holds + 1);
	return true;
}

/* The thread's newest hold, of `handle`, is about to be given back. */
static inline bool acquire_end(struct rec_thread *slot, enum kind kind, uint64_t handle)
{
	uint64_t word = acquire_enter(slot);
	uint32_t holds = word_holds(word);
	if (UNLIKELY(!holds || holds > REC_SLOT_HOLDS))
		return acquire_leave(false);
	const struct rec_hold *hold = &slot->holds[holds - 1];
	if (UNLIKELY(hold->handle != handle || hold->kind != kind || hold->count != 1 ||
		     atomic_load_explicit(&hold->state_word, memory_order_relaxed) != HOLD_LIVE))
		return acquire_leave(false);
	/* What others have released below it goes with it: the general way. */
	if (UNLIKELY(holds > 1 && atomic_load_explicit(&hold[-1].state, memory_order_relaxed) == HOLD_GONE))
		return acquire_leave(false);
	acquire_show(slot, word - WORD_HOLD);
	return acquire_leave(true);
}

#endif
