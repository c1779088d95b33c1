#include "registry/others.h"

#include <string.h>

#include "registry/recording.h"
#include "registry/thread.h"

#define TRIES 4

static bool is_in(const struct others_range *range, unsigned kind, uint64_t handle)
{
	if (handle < range->from || handle >= range->to)
		return false;
	return range->kind == KIND_NONE ? kind_has(kind, KIND_IS_BLOCKS | KIND_IS_THREAD)
					: kind == range->kind;
}

static bool hold_counts(const struct others_range *range, const struct rec_hold *hold)
{
	return atomic_load_explicit(&hold->state, memory_order_relaxed) == HOLD_LIVE &&
	       is_in(range, hold->kind, hold->handle);
}

static bool wait_counts(const struct others_range *range, const struct rec_wait *wait)
{
	switch (wait->op) {
	case OP_pthread_cond_destroy:
	case OP_cnd_destroy:
	case OP_pthread_barrier_destroy:
		return false;
	default:
		if (range->kind == KIND_NONE &&
		    (wait->kind == KIND_COND || wait->kind == KIND_SEM || wait->kind == KIND_BARRIER))
			return wait->handle >= range->from && wait->handle < range->to;
		return wait->kind != KIND_THREAD && is_in(range, wait->kind, wait->handle);
	}
}

/* Whether the slot is worth a closer look: read as it is, without care. */
static bool may_match(const struct rec_thread *slot, const struct others_range *range)
{
	uint32_t holds = MIN_OF(slot->hold_count, REC_SLOT_HOLDS);
	uint32_t waits = MIN_OF(slot->wait_depth, REC_SLOT_WAITS);
	for (uint32_t i = 0; i < holds; i++)
		if (hold_counts(range, &slot->holds[i]))
			return true;
	for (uint32_t i = 0; i < waits; i++)
		if (wait_counts(range, &slot->waits[i]))
			return true;
	return false;
}

/* Copies those of the slot's holds and waits that count. Return: false: it changed meanwhile, each time. */
static bool copy_matching(const struct rec_thread *slot, const struct others_range *range,
			  struct rec_hold *ret_hold, uint32_t *ret_levels, struct rec_wait *ret_wait)
{
	for (unsigned try = 0; try < TRIES; try++) {
		uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
		uint32_t holds = MIN_OF((uint32_t)(word & 0xffff), REC_SLOT_HOLDS);
		uint32_t waits = MIN_OF((uint32_t)(word >> 16 & 0xffff), REC_SLOT_WAITS);
		if (word >> 32 & 1)
			continue;
		*ret_levels = 0;
		ret_wait->kind = KIND_NONE;
		for (uint32_t i = 0; i < holds; i++) {
			if (!hold_counts(range, &slot->holds[i]))
				continue;
			memcpy(ret_hold, &slot->holds[i], sizeof *ret_hold);
			*ret_levels += ret_hold->count;
		}
		for (uint32_t i = waits; i-- > 0;)
			if (wait_counts(range, &slot->waits[i]))
				memcpy(ret_wait, &slot->waits[i], sizeof *ret_wait);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (atomic_load_explicit(&slot->word, memory_order_relaxed) == word)
			return true;
	}
	return false;
}

/* The next slot from *at on in which something counts. Return: NULL: no more. */
static const struct rec_thread *next_match(const struct others_range *range, uint32_t *at,
					   struct rec_hold *ret_hold, uint32_t *ret_levels,
					   struct rec_wait *ret_wait)
{
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view);
	while (*at < slots) {
		const struct rec_thread *slot = view_thread(view, (*at)++);
		unsigned state = atomic_load_explicit(&slot->state, memory_order_acquire);
		if (state != THREAD_RUNNING && state != THREAD_ENDED)
			continue;
		if (slot == self.slot && !range->own_too)
			continue;
		if (may_match(slot, range) && copy_matching(slot, range, ret_hold, ret_levels, ret_wait))
			return slot;
	}
	return NULL;
}

bool others_any(const struct others_range *range)
{
	struct rec_hold hold;
	struct rec_wait wait;
	uint32_t levels, at = 0;
	return next_match(range, &at, &hold, &levels, &wait);
}

bool others_hold(const struct others_range *range, struct other_hold *ret_hold)
{
	struct rec_hold hold;
	struct rec_wait wait;
	uint32_t levels, at = 0;
	bool found = false;
	for (const struct rec_thread *slot; (slot = next_match(range, &at, &hold, &levels, &wait));) {
		if (!levels || (found && hold.since <= ret_hold->hold.since))
			continue;
		memcpy(&ret_hold->hold, &hold, sizeof hold);
		ret_hold->tid = slot->tid;
		found = true;
	}
	return found;
}

uint32_t others_count(const struct others_range *range)
{
	struct rec_hold hold;
	struct rec_wait wait;
	uint32_t levels, at = 0, count = 0;
	while (next_match(range, &at, &hold, &levels, &wait))
		count += levels;
	return count;
}

bool others_wait(const struct others_range *range, struct other_wait *ret_wait)
{
	struct rec_hold hold;
	struct rec_wait wait;
	uint32_t levels, at = 0;
	bool found = false;
	for (const struct rec_thread *slot; (slot = next_match(range, &at, &hold, &levels, &wait));) {
		if (wait.kind == KIND_NONE || (found && wait.since >= ret_wait->wait.since))
			continue;
		*ret_wait = (struct other_wait){
			.wait = wait, .thread = slot->id, .name = recording_text(slot->name), .tid = slot->tid
		};
		found = true;
	}
	return found;
}
