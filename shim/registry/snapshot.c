#include "registry/snapshot.h"

#include <stdatomic.h>
#include <string.h>

#include "base/sort.h"

/*
 * How often a slot is copied before it is given up as torn. A thread that changes its slot that
 * fast is not blocked, so nothing is lost but its part in this one snapshot.
 */
#define SLOT_TRIES 32
#define RESOURCE_TRIES 8

/* Threads and resources that may come while the tables are read; those past it are left out. */
#define LATE_COMERS 64u

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/*
 * Copies the parts of a slot that mean something. Its owner may be writing meanwhile: the copy is
 * whole only where `changes` was even before it and the word that it lies in is the same after it
 * (the fence keeps the second look behind the copy). Return: whether it is whole.
 */
static bool slot_copy(const struct rec_thread *slot, bool live, struct rec_thread *ret_copy)
{
	for (unsigned try = 0; try < SLOT_TRIES; try++) {
		uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
		memcpy((void *)ret_copy, (const void *)slot, offsetof(struct rec_thread, holds));
		atomic_store_explicit(&ret_copy->word, word, memory_order_relaxed);
		ret_copy->hold_count = (uint16_t)MIN_OF(ret_copy->hold_count, REC_SLOT_HOLDS);
		memcpy(ret_copy->holds, slot->holds, ret_copy->hold_count * sizeof(slot->holds[0]));
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&slot->word, memory_order_relaxed) == word &&
		    !(ret_copy->changes & 1))
			return true;
		if (!live)
			return false;
		pause_briefly();
	}
	return false;
}

/* A time from the recording; a thread's own clock may be a moment ahead of the snapshot's. */
static nsec_t past(nsec_t at, nsec_t now)
{
	return MIN_OF(at, now);
}

/* Makes what was read fit for detectors: no number in it is out of its range. */
static void hold_clamp(struct rec_hold *hold, nsec_t now)
{
	hold->since = past(hold->since, now);
	hold->count = MAX_OF(hold->count, 1);
	if (hold->op >= OP_COUNT)
		hold->op = OP_none;
	if (hold->mode > MODE_SHARED)
		hold->mode = MODE_NONE;
}

static bool kind_is_valid(unsigned kind)
{
	return kind > KIND_NONE && kind < KIND_COUNT;
}

static bool hold_is_taken(const struct rec_hold *hold)
{
	unsigned state = atomic_load_explicit(&hold->state, memory_order_relaxed);
	return kind_is_valid(hold->kind) && (state == HOLD_LIVE || state == HOLD_PARKED);
}

static void fill_wait(struct snap_thread *thread, const struct rec_thread *slot, nsec_t now)
{
	uint32_t depth = MIN_OF(slot->wait_depth, REC_SLOT_WAITS);
	if (!depth || !kind_is_valid(slot->waits[depth - 1].kind))
		return;
	thread->waiting = true;
	thread->wait = slot->waits[depth - 1];
	thread->wait.since = past(thread->wait.since, now);
	if (thread->wait.kind == KIND_FD && thread->wait.handle & WAIT_SEVERAL) {
		thread->waits_for_one = thread->wait.handle & WAIT_FOR_ONE;
		thread->wait.handle = WAIT_SEVERAL;
	}
	if (thread->wait.op >= OP_COUNT)
		thread->wait.op = OP_none;
	if (thread->wait.mode > MODE_SHARED)
		thread->wait.mode = MODE_NONE;
}

static bool fill_holds(struct snap_thread *thread, const struct rec_thread *slot, nsec_t now,
		       struct arena *arena)
{
	if (!slot->hold_count)
		return true;
	thread->holds = arena_array(arena, slot->hold_count, sizeof(*thread->holds));
	if (!thread->holds)
		return false;
	for (uint32_t i = 0; i < slot->hold_count; i++) {
		if (!hold_is_taken(&slot->holds[i]))
			continue;
		struct rec_hold *hold = &thread->holds[thread->hold_count++];
		memcpy((void *)hold, (const void *)&slot->holds[i], sizeof(*hold));
		hold->owner = thread->id;
		hold_clamp(hold, now);
	}
	return true;
}

/* Return: false where memory ran out. */
static bool fill_thread(struct snap_thread *thread, const struct rec_thread *slot, nsec_t now,
			struct arena *arena)
{
	thread->id = slot->id;
	thread->tid = atomic_load_explicit(&slot->tid, memory_order_relaxed);
	thread->changes = atomic_load_explicit(&slot->changes, memory_order_relaxed);
	thread->state = atomic_load_explicit(&slot->state, memory_order_relaxed);
	thread->flags = atomic_load_explicit(&slot->flags, memory_order_relaxed);
	thread->creator = slot->creator;
	thread->created_stack = slot->created_stack;
	thread->pthread = slot->pthread;
	thread->start_routine = slot->start_routine;
	thread->argument = slot->argument;
	thread->stack_low = slot->stack_low;
	thread->stack_high = slot->stack_high;
	thread->tls = slot->tls;
	thread->started = past(slot->started, now);
	thread->ended = past(slot->ended, now);
	memcpy(thread->name, slot->name, sizeof(thread->name));
	thread->name[sizeof(thread->name) - 1] = '\0';
	fill_wait(thread, slot, now);

	uint32_t seen_at = atomic_load_explicit(&slot->now_serial, memory_order_relaxed);
	if (seen_at == thread->changes && !thread->torn) {
		thread->now_stack = atomic_load_explicit(&slot->now_stack, memory_order_relaxed);
		thread->now_at = past(atomic_load_explicit(&slot->now_mono, memory_order_relaxed), now);
	}
	return fill_holds(thread, slot, now, arena);
}

static bool state_is_used(const struct rec_thread *slot)
{
	unsigned state = atomic_load_explicit(&slot->state, memory_order_acquire);
	return state > THREAD_FREE && state <= THREAD_ENDED;
}

struct by_id {
	thread_id id;
	uint32_t index;
};

static bool id_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct by_id *left = a, *right = b;
	return left->id != right->id ? left->id < right->id : left->index < right->index;
}

/* Most of the time slots are in order already: they are given out upward. */
static bool threads_sort(struct snapshot *snapshot, struct arena *arena)
{
	uint32_t i = 1;
	while (i < snapshot->thread_count && snapshot->threads[i - 1].id <= snapshot->threads[i].id)
		i++;
	if (i >= snapshot->thread_count)
		return true;
	struct by_id *order = arena_array(arena, snapshot->thread_count, sizeof(*order));
	struct snap_thread *sorted = arena_array(arena, snapshot->thread_count, sizeof(*sorted));
	if (!order || !sorted)
		return false;
	for (i = 0; i < snapshot->thread_count; i++)
		order[i] = (struct by_id){ .id = snapshot->threads[i].id, .index = i };
	sort_items(order, snapshot->thread_count, sizeof(*order), id_before, NULL);
	for (i = 0; i < snapshot->thread_count; i++)
		sorted[i] = snapshot->threads[order[i].index];
	snapshot->threads = sorted;
	return true;
}

/* What the slots' owners have not yet added to the process's counters. */
struct unflushed {
	uint64_t allocated_bytes, allocated_blocks, freed_bytes, freed_blocks;
};

static void unflushed_add(struct unflushed *sum, const struct rec_thread *slot)
{
	uint64_t made = atomic_load_explicit(&slot->made, memory_order_relaxed);
	uint64_t freed = atomic_load_explicit(&slot->freed, memory_order_relaxed);
	sum->allocated_bytes += amount_bytes(made);
	sum->allocated_blocks += amount_blocks(made);
	sum->freed_bytes += amount_bytes(freed);
	sum->freed_blocks += amount_blocks(freed);
}

/* A difference of counters that were read one after the other can be a little below zero. */
static uint64_t not_negative(uint64_t difference)
{
	return (int64_t)difference < 0 ? 0 : difference;
}

static void fill_heap(struct snapshot *snapshot, const struct unflushed *sum)
{
	const struct rec_header *header = snapshot->view->header;
	snapshot->live_bytes = not_negative(atomic_load_explicit(&header->live_bytes, memory_order_relaxed) +
					    sum->allocated_bytes - sum->freed_bytes);
	snapshot->live_blocks =
	    not_negative(atomic_load_explicit(&header->live_blocks, memory_order_relaxed) +
			 sum->allocated_blocks - sum->freed_blocks);
	snapshot->total_bytes =
	    atomic_load_explicit(&header->total_bytes, memory_order_relaxed) + sum->allocated_bytes;
	snapshot->total_blocks =
	    atomic_load_explicit(&header->total_blocks, memory_order_relaxed) + sum->allocated_blocks;
	uint64_t peak = atomic_load_explicit(&header->peak_bytes, memory_order_relaxed);
	snapshot->peak_bytes = MAX_OF(peak, snapshot->live_bytes);
}

/* Room for the copy of a slot, as aligned as slots are, which is more than an arena gives. */
static struct rec_thread *slot_room(struct arena *arena)
{
	const uintptr_t align = _Alignof(struct rec_thread);
	char *room = arena_alloc(arena, sizeof(struct rec_thread) + align);
	return room ? (struct rec_thread *)(void *)(room + (-(uintptr_t)room & (align - 1))) : NULL;
}

static void fill_threads(struct snapshot *snapshot, struct arena *arena)
{
	const struct view *view = snapshot->view;
	struct unflushed sum = { 0 };
	uint32_t slots = view_thread_slots(view);
	uint32_t room = 0;
	for (uint32_t i = 0; i < slots; i++) {
		const struct rec_thread *slot = view_thread(view, i);
		room += slot && state_is_used(slot);
	}
	room = MIN_OF(room + LATE_COMERS, slots);

	struct rec_thread *copy = slot_room(arena);
	snapshot->threads = arena_array(arena, room, sizeof(*snapshot->threads));
	if (!copy || !snapshot->threads) {
		snapshot->incomplete = true;
		return;
	}
	for (uint32_t i = 0; i < slots; i++) {
		const struct rec_thread *slot = view_thread(view, i);
		if (!slot)
			break;
		/* Free slots too: what their last owner did not flush is still counted nowhere else. */
		unflushed_add(&sum, slot);
		if (!state_is_used(slot))
			continue;
		bool whole = slot_copy(slot, view->live, copy);
		/* Without an id it is just being given out; it holds and waits for nothing yet. */
		if (!state_is_used(copy) || !copy->id)
			continue;
		if (snapshot->thread_count == room) {
			snapshot->incomplete = true;
			continue;
		}
		struct snap_thread *thread = &snapshot->threads[snapshot->thread_count++];
		thread->slot = i;
		thread->torn = !whole;
		if (!fill_thread(thread, copy, snapshot->now, arena))
			snapshot->incomplete = true;
	}
	fill_heap(snapshot, &sum);
	if (!threads_sort(snapshot, arena))
		snapshot->incomplete = true;
}

/*
 * Resources have no sequence number of their own: two copies that agree are a whole one.
 * Return: whether it is whole, and taken.
 */
static bool resource_copy(const struct rec_hold *from, struct rec_hold *ret_copy)
{
	struct rec_hold again;
	for (unsigned try = 0; try < RESOURCE_TRIES; try++) {
		memcpy((void *)ret_copy, (const void *)from, sizeof(*ret_copy));
		atomic_thread_fence(memory_order_acquire);
		memcpy((void *)&again, (const void *)from, sizeof(again));
		if (!memcmp((const void *)ret_copy, (const void *)&again, sizeof(again)))
			return hold_is_taken(ret_copy);
		pause_briefly();
	}
	return false;
}

static bool hold_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct rec_hold *left = a, *right = b;
	return left->serial < right->serial;
}

/*
 * Adds the `count` holds in `extra` that found no room in their owners' slots to their owners'
 * holds. Those whose owner is not known (any more) are nobody's, so nothing can be said of them.
 */
static bool holds_overflowed(struct snapshot *snapshot, const struct rec_hold *extra, uint32_t count,
			     struct arena *arena)
{
	uint32_t *added = arena_array(arena, snapshot->thread_count, sizeof(*added));
	if (!added)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct snap_thread *owner = snapshot_thread(snapshot, extra[i].owner);
		if (owner)
			added[owner - snapshot->threads]++;
	}
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		if (!added[i])
			continue;
		struct rec_hold *holds =
		    arena_array(arena, (size_t)thread->hold_count + added[i], sizeof(*holds));
		if (!holds)
			return false;
		if (thread->hold_count)
			memcpy((void *)holds, (const void *)thread->holds,
			       thread->hold_count * sizeof(*holds));
		thread->holds = holds;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct snap_thread *owner = snapshot_thread(snapshot, extra[i].owner);
		if (owner)
			memcpy((void *)&owner->holds[owner->hold_count++], (const void *)&extra[i],
			       sizeof(extra[i]));
	}
	return true;
}

static void fill_resources(struct snapshot *snapshot, struct arena *arena)
{
	const struct view *view = snapshot->view;
	const struct rec_hold *entry;
	uint32_t room = LATE_COMERS;
	for (uint32_t i = 0; (entry = view_resource(view, i)); i++)
		room += hold_is_taken(entry);

	struct rec_hold *copy = arena_array(arena, room, sizeof(*copy));
	struct rec_hold *extra = arena_array(arena, room, sizeof(*extra));
	if (!copy || !extra) {
		snapshot->incomplete = true;
		return;
	}
	snapshot->resources = copy;
	uint32_t extra_count = 0;
	for (uint32_t i = 0; (entry = view_resource(view, i)); i++) {
		struct rec_hold hold;
		if (!resource_copy(entry, &hold))
			continue;
		hold_clamp(&hold, snapshot->now);
		if (snapshot->resource_count == room || extra_count == room) {
			snapshot->incomplete = true;
			break;
		}
		bool resource = kind_has(hold.kind, KIND_IS_RESOURCE);
		if (!resource)
			memcpy((void *)&extra[extra_count++], (const void *)&hold, sizeof(hold));
		else if (atomic_load_explicit(&hold.state, memory_order_relaxed) == HOLD_LIVE)
			memcpy((void *)&copy[snapshot->resource_count++], (const void *)&hold, sizeof(hold));
	}
	if (extra_count && !holds_overflowed(snapshot, extra, extra_count, arena))
		snapshot->incomplete = true;
}

void snapshot_take(const struct view *view, nsec_t now, struct arena *arena, struct snapshot *ret_snapshot)
{
	*ret_snapshot = (struct snapshot){ .view = view, .now = now };
	fill_threads(ret_snapshot, arena);
	fill_resources(ret_snapshot, arena);
	for (uint32_t i = 0; i < ret_snapshot->thread_count; i++) {
		struct snap_thread *thread = &ret_snapshot->threads[i];
		sort_items(thread->holds, thread->hold_count, sizeof(*thread->holds), hold_before, NULL);
	}
}

static nsec_t discounted(nsec_t since, nsec_t from, nsec_t to)
{
	/* 0 is unknown, and stays so. */
	if (!since || since >= to)
		return since;
	return since < from ? since + (to - from) : to;
}

void snapshot_discount(struct snapshot *snapshot, nsec_t from, nsec_t to)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		thread->wait.since = discounted(thread->wait.since, from, to);
		for (uint32_t h = 0; h < thread->hold_count; h++)
			thread->holds[h].since = discounted(thread->holds[h].since, from, to);
	}
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		snapshot->resources[i].since = discounted(snapshot->resources[i].since, from, to);
}

struct snap_thread *snapshot_thread(const struct snapshot *snapshot, thread_id id)
{
	uint32_t low = 0, high = snapshot->thread_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (snapshot->threads[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < snapshot->thread_count && snapshot->threads[low].id == id ? &snapshot->threads[low]
									       : NULL;
}

struct snap_thread *snapshot_thread_by_tid(const struct snapshot *snapshot, int32_t tid)
{
	/* The kernel gives numbers out again: of several threads only the newest can still be alive. */
	for (uint32_t i = snapshot->thread_count; i-- > 0;)
		if (snapshot->threads[i].tid == tid && snapshot->threads[i].state != THREAD_ENDED)
			return &snapshot->threads[i];
	return NULL;
}
