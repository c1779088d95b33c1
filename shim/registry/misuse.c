/*
 * Looked up without a lock, entered under one. An index in private memory holds numbers of entries by the hash of
 * kind and stacks; a number is stored (release) when its entry is whole, and neither ever changes again but for
 * the entry's count. Who finds none looks again under the lock before it makes one.
 *
 * Tested by testprogs/unit/test_concurrent_holds.c, also under ThreadSanitizer.
 */
#include "registry/misuse.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/block_place.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* Open addressing, at most half full. */
#define INDEX_SIZE (2 * MISUSES_MOST)

static struct lock lock;
static uint16_t numbers[INDEX_SIZE]; /* of entries, from 1; 0: free */

static uint64_t hash_of(const struct rec_misuse *what)
{
	uint64_t hash = hash_add(what->kind, what->object_kind);
	for (unsigned i = 0; i < REC_MISUSE_PARTS; i++)
		hash = hash_add(hash, what->parts[i].stack);
	return hash;
}

static bool is_same(const struct rec_misuse *a, const struct rec_misuse *b)
{
	for (unsigned i = 0; i < REC_MISUSE_PARTS; i++)
		if (a->parts[i].stack != b->parts[i].stack)
			return false;
	return a->kind == b->kind && a->object_kind == b->object_kind;
}

/* The place of `what` in the index; the first free one where it is not known. */
static uint16_t *place_of(const struct rec_misuse *what)
{
	for (uint64_t at = hash_of(what);; at++) {
		uint16_t *place = &numbers[at % INDEX_SIZE];
		uint16_t number = __atomic_load_n(place, __ATOMIC_ACQUIRE);
		const struct rec_misuse *entry = recording_table(REC_MISUSES);
		if (!number || is_same(&entry[number - 1], what))
			return place;
	}
}

static bool count_again(const struct rec_misuse *what)
{
	uint16_t number = __atomic_load_n(place_of(what), __ATOMIC_ACQUIRE);
	if (!number)
		return false;
	struct rec_misuse *entry = (struct rec_misuse *)recording_table(REC_MISUSES) + (number - 1);
	/* A reader may not find all 4 billion of them; it stays more than once. */
	if (atomic_fetch_add_explicit(&entry->count, 1, memory_order_relaxed) == UINT32_MAX)
		atomic_store_explicit(&entry->count, UINT32_MAX, memory_order_relaxed);
	return true;
}

static void note_places(struct rec_misuse *entry)
{
	if (kind_has(entry->object_kind, KIND_IS_PLACED))
		entry->parts[0].place = block_place_note(entry->handle, REC_PLACES_MOST);
	for (unsigned i = 1; i < REC_MISUSE_PARTS; i++) {
		struct rec_misuse_part *part = &entry->parts[i];
		if (kind_has(part->object_kind, KIND_IS_PLACED))
			part->place = block_place_note(part->handle, REC_PLACES_MOST);
	}
}

static bool enter(const struct rec_misuse *what)
{
	uint64_t at = recording_append(REC_MISUSES, sizeof *what);
	if (at == UINT64_MAX)
		return false;
	struct rec_misuse *entry = (struct rec_misuse *)((char *)recording_table(REC_MISUSES) + at);
	size_t head = sizeof entry->count;
	memcpy((char *)entry + head, (const char *)what + head, sizeof *entry - head);
	note_places(entry);
	atomic_store_explicit(&entry->count, 1, memory_order_release);
	__atomic_store_n(place_of(what), (uint16_t)(at / sizeof *entry + 1), __ATOMIC_RELEASE);
	atomic_fetch_add_explicit(&recording->misuse_news, 1, memory_order_release);
	return true;
}

bool misuse_note(const struct rec_misuse *what)
{
	bool is_new = false;
	self.busy++;
	if (recording && !count_again(what)) {
		if (lock_take(&lock)) {
			if (!count_again(what))
				is_new = enter(what);
			lock_release(&lock);
		} else {
			recording_lost(REC_MISUSES);
		}
	}
	self.busy--;
	return is_new;
}

struct rec_misuse_part misuse_now(stack_id stack, enum op op)
{
	const struct rec_thread *slot = thread_slot();
	return (struct rec_misuse_part){
		.at = sys_monotonic_coarse(),
		.stack = stack,
		.thread = slot ? slot->id : 0,
		.thread_name = slot ? recording_text(slot->name) : 0,
		.op = (uint16_t)op,
	};
}

struct rec_misuse_part misuse_hold(const struct rec_hold *hold)
{
	struct rec_misuse_part part = {
		.at = hold->since,
		.stack = hold->stack,
		.thread = hold->owner,
		.serial = hold->serial,
		.op = hold->op,
		.mode = hold->mode,
	};
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view);
	for (uint32_t i = 0; i < slots; i++)
		if (view_thread(view, i)->id == hold->owner)
			part.thread_name = recording_text(view_thread(view, i)->name);
	return part;
}

void misuse_fork_child(void)
{
	memset(numbers, 0, sizeof numbers);
	lock.word = 0;
}
