/*
 * Two homes for holds. Those of the trait THREAD, and semaphores, lie in the
 * slot of the thread that took them: pushing and popping touch nobody else's
 * memory. A thread that holds more than REC_SLOT_HOLDS keeps the rest in
 * REC_RESOURCES, as if they were resources; readers put them back together.
 *
 * Another thread's hold can't be taken out of its slot; it is marked HOLD_GONE by
 * a compare-and-swap of its state, and the owner drops it at its next event.
 */
#include "registry/hold.h"

#include <string.h>

#include "registry/clock.h"
#include "registry/contention.h"
#include "registry/recording.h"
#include "registry/resource.h"
#include "registry/thread.h"

/* Semaphores are taken and never given back by consumers: the last few takers are enough. */
#define UNOWNED_MOST 8u

static unsigned hold_state(const struct rec_hold *hold)
{
	return __atomic_load_n((const uint8_t *)&hold->state, __ATOMIC_ACQUIRE);
}

static void hold_set_state(struct rec_hold *hold, unsigned state)
{
	__atomic_store_n((uint8_t *)&hold->state, (uint8_t)state, __ATOMIC_RELEASE);
}

/* Drops what other threads have released from the end of the slot's list. */
static void slot_trim(struct rec_thread *slot)
{
	while (slot->hold_count && hold_state(&slot->holds[slot->hold_count - 1]) == HOLD_GONE)
		slot->hold_count--;
}

/* Takes entry `at` out; the order of the others is kept, since detectors read it as nesting. */
static void slot_remove(struct rec_thread *slot, uint32_t at)
{
	uint32_t left = slot->hold_count - at - 1;
	if (left)
		memmove(&slot->holds[at], &slot->holds[at + 1], left * sizeof slot->holds[0]);
	slot->hold_count--;
	slot_trim(slot);
}

/* The newest entry for `handle`, parked ones too; -1: none. */
static int slot_find(const struct rec_thread *slot, enum kind kind, uint64_t handle)
{
	for (int i = (int)MIN_OF(slot->hold_count, REC_SLOT_HOLDS) - 1; i >= 0; i--)
		if (slot->holds[i].handle == handle && slot->holds[i].kind == kind &&
		    hold_state(&slot->holds[i]) != HOLD_GONE)
			return i;
	return -1;
}

/* Makes room for one more: released entries in the middle go, and of semaphores the oldest. */
static void slot_make_room(struct rec_thread *slot, enum kind kind)
{
	uint32_t unowned = 0;
	int oldest = -1;
	for (uint32_t i = 0; i < slot->hold_count;) {
		if (hold_state(&slot->holds[i]) == HOLD_GONE) {
			slot_remove(slot, i);
			continue;
		}
		if (!kind_has(slot->holds[i].kind, KIND_IS_OWNED)) {
			unowned++;
			if (oldest < 0)
				oldest = (int)i;
		}
		i++;
	}
	if (!kind_has(kind, KIND_IS_OWNED) && unowned >= UNOWNED_MOST)
		slot_remove(slot, (uint32_t)oldest);
}

void hold_begin(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack)
{
	struct rec_thread *slot = thread_slot();
	if (!slot)
		return;
	self.busy++;
	thread_write_begin(slot);
	int known = slot_find(slot, kind, handle);
	if (known >= 0 && slot->holds[known].mode == mode) {
		slot->holds[known].count++;
		hold_set_state(&slot->holds[known], HOLD_LIVE);
	} else {
		if (UNLIKELY(slot->hold_count >= REC_SLOT_HOLDS) || !kind_has(kind, KIND_IS_OWNED))
			slot_make_room(slot, kind);
		struct rec_hold hold = {
			.handle = handle,
			.since = clock_tick(),
			.stack = stack,
			.count = 1,
			.owner = slot->id,
			.serial = ++slot->serial,
			.op = (uint16_t)op,
			.kind = (uint8_t)kind,
			.era = __atomic_load_n((uint32_t *)&recording->era, __ATOMIC_RELAXED),
			.mode = (uint8_t)mode,
			.state = HOLD_LIVE,
		};
		if (LIKELY(slot->hold_count < REC_SLOT_HOLDS)) {
			slot->holds[slot->hold_count++] = hold;
		} else {
			atomic_fetch_or_explicit(&slot->flags, THREAD_HELD_MANY, memory_order_relaxed);
			if (!resource_add(&hold))
				slot->holds_lost++;
		}
		if (kind_is_lock(kind))
			contention_acquired(kind, handle, mode, op, stack);
	}
	thread_write_end(slot);
	self.busy--;
}

/* Marks the newest hold of another thread as released. */
static bool foreign_end(const struct rec_thread *but, enum kind kind, uint64_t handle, enum mode *ret_mode)
{
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view);
	struct rec_hold *newest = NULL;
	for (uint32_t s = 0; s < slots; s++) {
		struct rec_thread *slot = (struct rec_thread *)view_thread(view, s);
		if (slot == but || atomic_load_explicit(&slot->state, memory_order_acquire) == THREAD_FREE)
			continue;
		int at = slot_find(slot, kind, handle);
		if (at >= 0 && (!newest || slot->holds[at].since > newest->since))
			newest = &slot->holds[at];
	}
	if (!newest)
		return false;
	if (ret_mode)
		*ret_mode = newest->mode;
	/* The owner may be moving its entries at this moment; then the mark is lost, and only that. */
	uint8_t live = HOLD_LIVE;
	if (newest->handle == handle)
		__atomic_compare_exchange_n((uint8_t *)&newest->state, &live, (uint8_t)HOLD_GONE, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	return true;
}

enum hold_end hold_end(enum kind kind, uint64_t handle, enum mode *ret_mode)
{
	struct rec_thread *slot = thread_slot();
	enum hold_end how = HOLD_END_OWN;
	self.busy++;
	int at = slot ? slot_find(slot, kind, handle) : -1;
	if (at >= 0) {
		if (ret_mode)
			*ret_mode = slot->holds[at].mode;
		if (slot->holds[at].count == 1 && kind_is_lock(kind))
			contention_released(&slot->holds[at]);
		thread_write_begin(slot);
		if (slot->holds[at].count > 1)
			slot->holds[at].count--;
		else
			slot_remove(slot, (uint32_t)at);
		thread_write_end(slot);
	} else if (slot && slot->hold_count >= REC_SLOT_HOLDS &&
		   resource_drop(kind, handle, slot->id, ret_mode)) {
		how = HOLD_END_OWN;
	} else if (kind_has(kind, KIND_IS_OWNED) && foreign_end(slot, kind, handle, ret_mode)) {
		how = HOLD_END_FOREIGN;
	} else if (kind_has(kind, KIND_IS_OWNED) && resource_drop(kind, handle, 0, ret_mode)) {
		how = HOLD_END_FOREIGN;
	} else {
		how = HOLD_END_UNKNOWN;
	}
	self.busy--;
	return how;
}

const struct rec_hold *hold_own(enum kind kind, uint64_t handle)
{
	const struct rec_thread *slot = thread_slot();
	int at = slot ? slot_find(slot, kind, handle) : -1;
	return at >= 0 ? &slot->holds[at] : NULL;
}

void hold_descriptor(enum kind kind, uint64_t handle, int fd)
{
	struct rec_thread *slot = thread_slot();
	int at = slot ? slot_find(slot, kind, handle) : -1;
	if (at < 0)
		return;
	self.busy++;
	thread_write_begin(slot);
	slot->holds[at].descriptor = (uint16_t)fd;
	thread_write_end(slot);
	self.busy--;
}

static void own_set_state(enum kind kind, uint64_t handle, unsigned state)
{
	struct rec_thread *slot = thread_slot();
	int at = slot ? slot_find(slot, kind, handle) : -1;
	if (at < 0)
		return;
	self.busy++;
	if (state == HOLD_PARKED)
		contention_released(&slot->holds[at]);
	thread_write_begin(slot);
	hold_set_state(&slot->holds[at], state);
	if (state == HOLD_LIVE) {
		slot->holds[at].since = clock_tick();
		slot->holds[at].serial = ++slot->serial;
	}
	thread_write_end(slot);
	self.busy--;
}

void hold_park(enum kind kind, uint64_t handle)
{
	own_set_state(kind, handle, HOLD_PARKED);
}

void hold_unpark(enum kind kind, uint64_t handle)
{
	own_set_state(kind, handle, HOLD_LIVE);
}

void hold_forget(enum kind kind, uint64_t handle)
{
	struct rec_thread *slot = thread_slot();
	self.busy++;
	int at;
	while (slot && (at = slot_find(slot, kind, handle)) >= 0) {
		thread_write_begin(slot);
		slot_remove(slot, (uint32_t)at);
		thread_write_end(slot);
	}
	/* Each round takes one out, or finds that its owner is doing so: bounded by what can be held. */
	for (unsigned round = 0; round < REC_SLOT_HOLDS && foreign_end(slot, kind, handle, NULL); round++)
		;
	while (resource_drop(kind, handle, 0, NULL))
		;
	self.busy--;
}
