/* What threads share without a lock and add to all the time: stacks, rules, what is appended to the recording, live blocks. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "registry/address_map.h"
#include "registry/alert.h"
#include "stack/depot.h"
#include "stack/rules.h"
#include "stack/unwind.h"

#include "testprogs/unit/hammer.h"

/* -- the depot ------------------------------------------------------------------- */

#define STACKS 3000u
static _Atomic stack_id known[STACKS];

/* Few different hashes, so that chains are long and all threads put at the same heads. */
static uint64_t frames_of(unsigned which, struct unwind_frame *frames, uint32_t *ret_count)
{
	uint32_t count = which % 7 + 1;
	for (uint32_t i = 0; i < count; i++)
		frames[i] = (struct unwind_frame){ .sp = i, .pc = UINT64_C(0x10000000) + which * 64 + i };
	*ret_count = count;
	return which % 5;
}

static void put_stacks(unsigned number)
{
	struct unwind_frame frames[8];
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < STACKS; i++) {
			/* All in the same order, a little apart. */
			unsigned which = number % 2 ? i : (i ^ (number & 6)) % STACKS;
			uint32_t count;
			uint64_t hash = frames_of(which, frames, &count);
			maybe_yield(40);
			stack_id id = depot_put(frames, count, 0, hash), before = 0;
			if (!id ||
			    (!atomic_compare_exchange_strong(&known[which], &before, id) && before != id))
				wrong++;
		}
	}
}

/* One stack, one id, whoever puts it first; and what is under the id is that stack. */
START_TEST(stacks_have_one_id)
{
	struct worker workers[THREADS];
	memset((void *)known, 0, sizeof known);
	start(workers, THREADS, put_stacks);
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
	for (unsigned i = 0; i < STACKS; i++) {
		struct unwind_frame frames[8];
		uint32_t count;
		frames_of(i, frames, &count);
		const struct rec_stack *stack = view_stack(recording_view(), known[i]);
		ck_assert_ptr_nonnull(stack);
		ck_assert_uint_eq(stack->count, count);
		for (uint32_t k = 0; k < count; k++)
			ck_assert_uint_eq(stack->frames[k], frames[count - 1 - k].pc);
	}
}
END_TEST

/* -- rules ------------------------------------------------------------------------- */

#define PLACES 12000u /* enough that the table grows twice */
static rule_bits right[PLACES];
static uint64_t text_start;

static uint64_t place_at(unsigned which)
{
	return text_start + which;
}

static void learn_rules(unsigned number)
{
	struct cfi *cfi = calloc(1, sizeof *cfi);
	if (number == 0) { /* what a module that goes away does, over and over */
		while (!stop) {
			uint64_t from = place_at(random_below(PLACES - 500));
			rules_forget(from, from + 500);
			maybe_yield(2);
		}
	} else {
		for (unsigned i = 0; i < PLACES * 8; i++) {
			unsigned which = (i + number * 1000) % PLACES;
			rule_bits rule = rules_find(place_at(which), false);
			if (rule && rule != right[which])
				wrong++;
			maybe_yield(100);
			if (!rule && rules_learn(cfi, place_at(which), false) != right[which])
				wrong++;
		}
	}
	free(cfi);
}

/* A rule is found as it is, or not found: never half, never another's, while the table grows and is wiped. */
START_TEST(rules_are_right_or_not_there)
{
	struct worker workers[THREADS];
	struct cfi *cfi = calloc(1, sizeof *cfi);
	text_start = (uintptr_t)qsort; /* in libc, in the midst of functions of all kinds */
	unsigned kinds = 0;
	for (unsigned i = 0; i < PLACES; i++) {
		right[i] = rules_learn(cfi, place_at(i), false);
		kinds |= 1u << rule_kind(right[i]);
	}
	free(cfi);
	ck_assert_uint_gt(kinds & (kinds - 1), 0);
	rules_forget(0, UINT64_MAX);
	start(workers, THREADS, learn_rules);
	for (unsigned i = 1; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	stop = true;
	pthread_join(workers[0].thread, NULL);
	pthread_barrier_destroy(&together);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* -- alerts ------------------------------------------------------------------------ */

#define ALERTS 2000u
struct alert {
	uint32_t size, number, who, count;
	uint32_t filling[12];
};

static void append_alerts(unsigned number)
{
	for (uint32_t i = 0; i < ALERTS; i++) {
		struct alert alert = { .who = number + 1, .count = i };
		uint32_t bytes = (uint32_t)sizeof alert - random_below(12) * 4;
		alert.size = bytes;
		memset(alert.filling, (int)number + 1, sizeof alert.filling);
		if (!alert_append(&alert, bytes, offsetof(struct alert, number)))
			wrong++;
		maybe_yield(20);
	}
}

/* Reads all that is there, as the command does. Return: how many. */
static unsigned read_alerts(uint64_t from, bool *numbers)
{
	uint64_t used = view_used(recording_view(), REC_ALERTS);
	const char *table = recording_table(REC_ALERTS);
	unsigned seen = 0;
	for (uint64_t at = from; at < used;) {
		const struct alert *alert = (const void *)(table + at);
		uint32_t size = __atomic_load_n(&alert->size, __ATOMIC_ACQUIRE);
		if (!size)
			break; /* being written */
		if (size > sizeof *alert || size < offsetof(struct alert, filling) || !alert->who ||
		    alert->who > THREADS || alert->count >= ALERTS || !alert->number) {
			wrong++;
			break;
		}
		for (uint32_t i = 0; i < (size - offsetof(struct alert, filling)) / 4; i++)
			if (alert->filling[i] != alert->who * 0x01010101u)
				wrong++;
		if (numbers) {
			if (alert->number > THREADS * ALERTS || numbers[alert->number])
				wrong++;
			else
				numbers[alert->number] = true;
		}
		at += (size + 7) & ~7u;
		seen++;
	}
	return seen;
}

START_TEST(alerts_are_whole)
{
	struct worker workers[THREADS];
	static bool numbers[THREADS * ALERTS + 1];
	uint64_t from = view_used(recording_view(), REC_ALERTS);
	uint32_t before = recording->alerts;
	alert_fork_child();
	start(workers, THREADS, append_alerts);
	while (recording->alerts - before < THREADS * ALERTS && !wrong)
		read_alerts(from, NULL);
	join(workers, THREADS);
	ck_assert_uint_eq(read_alerts(from, numbers), THREADS * ALERTS);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* -- live blocks -------------------------------------------------------------------- */

#define BLOCKS 4000u
/* Addresses; nobody touches what is there. */
static char *heap;
static size_t distance;
static stack_id made_at;
static _Atomic uint32_t owners[BLOCKS];

static uintptr_t block_at(unsigned which)
{
	return (uintptr_t)heap + which * distance;
}

/* As an allocator does: gives a block to one at a time, who may be another than the one that gives it back. */
static void use_blocks(unsigned number)
{
	(void)number;
	for (unsigned i = 0; i < 400000; i++) {
		unsigned which = random_below(BLOCKS);
		uint32_t state = owners[which];
		if (state > 1 || !atomic_compare_exchange_strong(&owners[which], &state, 2))
			continue; /* somebody is at it */
		const void *block = (const void *)block_at(which);
		struct allocation found;
		bool quick = random_below(2);
		if (state == 0 && quick) {
			allocation_made(allocation_hide(block), which + 1, ALLOCATED_MALLOC, made_at);
		} else if (state == 0) {
			allocation_begin(allocation_hide(block), which + 1, ALLOCATED_MALLOC, made_at, 0);
		} else {
			if (!allocation_find(block, &found) || found.size != which + 1)
				wrong++;
			if (!(quick && allocation_freed(block, NULL)) &&
			    (!allocation_end(block, &found) || found.size != which + 1))
				wrong++;
			maybe_yield(30);
			if (allocation_find(block, &found))
				wrong++;
		}
		maybe_yield(60);
		owners[which] = !state;
	}
}

static void count_blocks(size_t apart)
{
	struct worker workers[THREADS];
	struct unwind_frame frame = { .sp = 1, .pc = 0x4711 };
	distance = apart;
	memset((void *)owners, 0, sizeof owners);
	made_at = depot_put(&frame, 1, 0, 0x4711);
	ck_assert_uint_ne(made_at, 0);
	uint64_t before = allocation_count();
	start(workers, THREADS, use_blocks);
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
	uint64_t live = 0;
	for (unsigned i = 0; i < BLOCKS; i++) {
		struct allocation found;
		const void *block = (const void *)block_at(i);
		bool there = allocation_find(block, &found);
		ck_assert_int_eq(there, owners[i] == 1);
		live += there;
	}
	ck_assert_uint_gt(live, 100);
	ck_assert_uint_eq(allocation_count() - before, live);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (owners[i] == 1)
			allocation_end((const void *)block_at(i), NULL);
}

START_TEST(blocks_are_counted_once)
{
	count_blocks(48);
}
END_TEST

/* Of several owners in one window, who meet in its entry. Blocks stay shared: the last of these tests. */
START_TEST(near_blocks_are_counted_once)
{
	address_map_shared = true;
	count_blocks(16);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, stacks_have_one_id);
	tcase_add_test(tcase, rules_are_right_or_not_there);
	tcase_add_test(tcase, alerts_are_whole);
	tcase_add_test(tcase, blocks_are_counted_once);
	tcase_add_test(tcase, near_blocks_are_counted_once);
}

int main(void)
{
	heap = mmap(NULL, BLOCKS * 48, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return heap == MAP_FAILED ? 1 : hammer_run("tables that grow", add_tests);
}
