#include "registry/iteration.h"

#include <string.h>

#include "base/hash.h"
#include "options.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/recording.h"

/* Open addressing, at most half full; numbers of entries, from 1. */
#define INDEX_BITS 11u
#define INDEX_SIZE (1u << INDEX_BITS)
_Static_assert(INDEX_SIZE >= 2 * ITERATIONS_MOST, "there is always a free place");

static struct lock lock;
static uint16_t numbers[INDEX_SIZE];

static struct rec_iteration *entry_at(uint16_t number)
{
	return (struct rec_iteration *)recording_table(REC_ITERATIONS) + (number - 1);
}

/* The place of (stack, kind) in the index; the first free one where it is not known. */
static inline uint16_t *place_of(stack_id stack, unsigned kind)
{
	uint32_t at = hash_place(stack + ((uint64_t)kind << 32), INDEX_BITS);
	for (;; at++) {
		uint16_t *place = &numbers[at % INDEX_SIZE];
		uint16_t number = __atomic_load_n(place, __ATOMIC_ACQUIRE);
		if (!number || (entry_at(number)->stack == stack && entry_at(number)->kind == kind))
			return place;
	}
}

static struct rec_iteration *find(stack_id stack, unsigned kind)
{
	uint16_t number = __atomic_load_n(place_of(stack, kind), __ATOMIC_ACQUIRE);
	return number ? entry_at(number) : NULL;
}

/* Under the lock. Return: NULL: there is no room (counted). */
static struct rec_iteration *enter(stack_id stack, unsigned kind)
{
	struct rec_iteration *entry = find(stack, kind);
	if (entry)
		return entry;
	uint64_t at = recording_append(REC_ITERATIONS, sizeof *entry);
	if (at == UINT64_MAX)
		return NULL;
	uint16_t number = (uint16_t)(at / sizeof *entry + 1);
	entry = entry_at(number);
	entry->stack = stack;
	entry->kind = (uint8_t)kind;
	__atomic_store_n(place_of(stack, kind), number, __ATOMIC_RELEASE);
	return entry;
}

static struct rec_iteration *find_or_enter(stack_id stack, unsigned kind)
{
	struct rec_iteration *entry = find(stack, kind);
	if (entry || !lock_take(&lock))
		return entry;
	entry = enter(stack, kind);
	lock_release(&lock);
	return entry;
}

/*
 * Nobody else counts meanwhile. iteration_next_part empties a part that is not counted in yet, and in which nothing has been
 * counted for two parts.
 */
static void add(_Atomic uint32_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

void iteration_ended(const struct rec_hold *was, nsec_t now)
{
	nsec_t duration = now > was->since ? now - was->since : 0;
	struct rec_iteration *entry = find_or_enter(was->stack, was->kind);
	if (!entry)
		return;
	uint32_t part = atomic_load_explicit(&recording->iteration_part, memory_order_relaxed);
	add(&entry->durations[rec_duration_bucket(duration)]);
	add(&entry->parts[part % REC_ITERATION_PARTS].count);
	if (options.iteration_slow && duration > options.iteration_slow)
		add(&entry->parts[part % REC_ITERATION_PARTS].slow);
	atomic_store_explicit(&entry->total,
			      atomic_load_explicit(&entry->total, memory_order_relaxed) + duration,
			      memory_order_relaxed);
	if (duration > atomic_load_explicit(&entry->longest, memory_order_relaxed))
		atomic_store_explicit(&entry->longest, duration, memory_order_relaxed);
	atomic_store_explicit(&entry->count, atomic_load_explicit(&entry->count, memory_order_relaxed) + 1,
			      memory_order_release);
}

void iteration_next_part(void)
{
	uint32_t next = atomic_load_explicit(&recording->iteration_part, memory_order_relaxed) + 1;
	uint64_t entries = view_used(recording_view(), REC_ITERATIONS) / sizeof(struct rec_iteration);
	for (uint64_t i = 0; i < entries; i++) {
		struct rec_iteration *entry = entry_at((uint16_t)(i + 1));
		atomic_store_explicit(&entry->parts[next % REC_ITERATION_PARTS].count, 0,
				      memory_order_relaxed);
		atomic_store_explicit(&entry->parts[next % REC_ITERATION_PARTS].slow, 0,
				      memory_order_relaxed);
	}
	atomic_store_explicit(&recording->iteration_part, next, memory_order_release);
}

void iteration_fork_child(void)
{
	memset(numbers, 0, sizeof numbers);
	lock.word = 0;
}
