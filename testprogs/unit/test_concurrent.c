/*
 * What threads share without a lock, hammered by more threads than there are processors: stacks, rules,
 * what is appended to the recording, slots that are read while they are written, and live blocks. Each
 * test knows what has to come out whatever the order; yields are thrown in where the order matters most.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "options.h"
#include "platform/sys.h"
#include "registry/acquire.h"
#include "registry/address_map.h"
#include "registry/alert.h"
#include "registry/allocation.h"
#include "registry/contention.h"
#include "registry/hold.h"
#include "registry/misuse.h"
#include "registry/recording.h"
#include "registry/release.h"
#include "registry/snapshot.h"
#include "registry/thread.h"
#include "registry/wait.h"
#include "stack/depot.h"
#include "stack/modules.h"
#include "stack/rules.h"
#include "stack/stack.h"
#include "stack/unwind.h"

#define THREADS 6

static pthread_barrier_t together;
static atomic_uint wrong;
static atomic_bool stop;

static __thread uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % limit);
}

/* Lets others come in between, at about one place in `often`. */
static void maybe_yield(uint32_t often)
{
	if (!random_below(often))
		sched_yield();
}

struct worker {
	pthread_t thread;
	void (*run)(unsigned number);
	unsigned number;
};

static void *work(void *data)
{
	const struct worker *worker = data;
	random_state = 88172645463325252u + worker->number * 7919u;
	thread_slot();
	pthread_barrier_wait(&together);
	worker->run(worker->number);
	allocation_thread_end();
	stack_thread_end();
	thread_end();
	return NULL;
}

static void start(struct worker *workers, unsigned count, void (*run)(unsigned))
{
	wrong = 0;
	stop = false;
	pthread_barrier_init(&together, NULL, count + 1);
	for (unsigned i = 0; i < count; i++) {
		workers[i].run = run;
		workers[i].number = i;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	pthread_barrier_wait(&together);
}

static void join(struct worker *workers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&together);
}

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

/* -- slots ------------------------------------------------------------------------- */

/* All of a hold or a wait follows from its handle, so that halves of two show. */
static stack_id stack_for(uint64_t handle)
{
	return (stack_id)(handle * 2654435761u);
}

static bool lock_quickly(struct rec_thread *slot, uint64_t handle)
{
	if (!acquire_wait(slot, KIND_MUTEX, handle, MODE_EXCLUSIVE, OP_pthread_mutex_lock, stack_for(handle),
			  (const void *)(uintptr_t)(handle * 16), 1))
		return false;
	maybe_yield(8);
	return acquire_hold(slot, KIND_MUTEX, handle, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
			    stack_for(handle), 0);
}

/* Locks up to four at a time, by the quick way and by the general one, and gives them back in any order. */
static void take_locks(unsigned number)
{
	struct rec_thread *slot = thread_slot();
	uint64_t held[4], next = (number + 1) * UINT64_C(1000000);
	unsigned count = 0;
	while (!stop) {
		if (count < 4 && random_below(2)) {
			uint64_t handle = ++next;
			if (random_below(4)) {
				if (!lock_quickly(slot, handle))
					wrong++;
			} else {
				struct wait_for what = { .kind = KIND_MUTEX,
							 .handle = handle,
							 .mode = MODE_EXCLUSIVE,
							 .op = OP_pthread_mutex_lock,
							 .stack = stack_for(handle),
							 .frame = (const void *)(uintptr_t)(handle * 16) };
				wait_begin(&what);
				maybe_yield(8);
				hold_begin(KIND_MUTEX, handle, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
					   stack_for(handle));
				wait_end();
			}
			held[count++] = handle;
		} else if (count) {
			unsigned which = random_below(3) ? count - 1 : random_below(count);
			enum mode mode;
			if (!acquire_end(slot, KIND_MUTEX, held[which]) &&
			    hold_end(KIND_MUTEX, held[which], &mode) != HOLD_END_OWN)
				wrong++;
			held[which] = held[--count];
		}
		maybe_yield(50);
	}
	while (count) {
		enum mode mode;
		hold_end(KIND_MUTEX, held[--count], &mode);
	}
}

/* What a reader sees of a slot that is written all the while is a state that it had. */
START_TEST(slots_are_seen_whole)
{
	struct worker workers[THREADS];
	struct arena arena = { .more = sys_pages, .less = sys_pages_free };
	unsigned whole = 0, with_holds = 0, waiting = 0;
	start(workers, THREADS, take_locks);
	for (unsigned look = 0; look < 40000; look++) {
		struct snapshot snapshot;
		snapshot_take(recording_view(), 1, &arena, &snapshot);
		for (uint32_t i = 0; i < snapshot.thread_count; i++) {
			const struct snap_thread *thread = &snapshot.threads[i];
			if (thread->torn)
				continue;
			whole++;
			with_holds += thread->hold_count > 0;
			waiting += thread->waiting;
			uint64_t mine = 0;
			for (uint32_t k = 0; k < thread->hold_count; k++) {
				const struct rec_hold *hold = &thread->holds[k];
				mine = mine ? mine : hold->handle / 1000000;
				if (hold->stack != stack_for(hold->handle) || hold->kind != KIND_MUTEX ||
				    hold->count != 1 || hold->owner != thread->id ||
				    hold->handle / 1000000 != mine)
					wrong++;
				for (uint32_t other = 0; other < k; other++)
					if (thread->holds[other].handle == hold->handle)
						wrong++;
			}
			const struct rec_wait *wait = &thread->wait;
			if (thread->waiting &&
			    (wait->stack != stack_for(wait->handle) || wait->sp != wait->handle * 16 ||
			     wait->kind != KIND_MUTEX || (mine && wait->handle / 1000000 != mine)))
				wrong++;
		}
		arena_release(&arena);
	}
	stop = true;
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_gt(whole, 1000);
	ck_assert_uint_gt(with_holds, 100);
	ck_assert_uint_gt(waiting, 0);
}
END_TEST

/* -- live blocks -------------------------------------------------------------------- */

#define BLOCKS 4000u
static char *heap; /* addresses; nobody touches what is there */
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

/* -- misuse ---------------------------------------------------------------------- */

#define MISUSE_ROUNDS 50u
static _Atomic uint32_t misuses_made;

static void note_misuses(unsigned number)
{
	for (unsigned round = 0; round < MISUSE_ROUNDS; round++)
		for (unsigned i = 0; i < MISUSES_MOST; i++) {
			struct rec_misuse what = { .kind = MISUSE_not_owner_unlock, .handle = number };
			what.parts[0].stack = (i ^ (number & 3)) + 1;
			maybe_yield(200);
			if (misuse_note(&what))
				misuses_made++;
		}
}

/* One entry for each, whoever is first, and none of the others is forgotten. */
START_TEST(misuses_are_counted_once)
{
	struct worker workers[THREADS];
	misuses_made = 0;
	start(workers, THREADS, note_misuses);
	join(workers, THREADS);
	ck_assert_uint_eq(misuses_made, MISUSES_MOST);
	ck_assert_uint_eq(recording->misuse_news, MISUSES_MOST);
	bool seen[MISUSES_MOST + 1] = { false };
	const struct rec_misuse *entry;
	for (uint32_t i = 0; (entry = view_misuse(recording_view(), i)); i++) {
		ck_assert_uint_eq(entry->count, THREADS * MISUSE_ROUNDS);
		ck_assert_uint_le(entry->parts[0].stack, MISUSES_MOST);
		ck_assert(!seen[entry->parts[0].stack]);
		seen[entry->parts[0].stack] = true;
	}
	/* There is room for no more: that is counted. */
	struct rec_misuse more = { .kind = MISUSE_not_owner_unlock };
	ck_assert(!misuse_note(&more));
	ck_assert_uint_eq(recording->tables[REC_MISUSES].lost, 1);
}
END_TEST

/* -- resources ------------------------------------------------------------------- */

#define CONTAINERS 3u
#define ITERATORS 50u
#define RESOURCE_ROUNDS 400u

/* Handles are each thread's own; containers are everybody's. */
static void open_and_close(unsigned number)
{
	bool open[ITERATORS] = { false };
	for (unsigned round = 0; round < RESOURCE_ROUNDS * ITERATORS; round++) {
		unsigned i = random_below(ITERATORS);
		uint64_t handle = 0x1000 * (number + 1) + i, container = 0x100 + i % CONTAINERS;
		struct resource what = { .kind = KIND_ITERATOR, .handle = handle, .container = container };
		struct rec_hold found;
		maybe_yield(100);
		if (resource_find(&what, &found) != open[i])
			wrong++;
		if (open[i])
			wrong += !release_begin(&what);
		else
			resource_acquired(&what);
		open[i] = !open[i];
		wrong += open[i] && !resource_may_be_of(container);
		struct rec_hold holds[8];
		uint32_t count = resource_find_of(container, holds, 8);
		for (uint32_t at = 0; at < count; at++)
			wrong += holds[at].container != container;
	}
	for (unsigned i = 0; i < ITERATORS; i++)
		if (open[i])
			resource_end(KIND_ITERATOR, 0x1000 * (number + 1) + i);
}

START_TEST(resources_are_found_by_what_they_are_of)
{
	struct worker workers[THREADS];
	wrong = 0;
	start(workers, THREADS, open_and_close);
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
	struct rec_hold left;
	for (unsigned i = 0; i < CONTAINERS; i++) {
		ck_assert(!resource_may_be_of(0x100 + i));
		ck_assert_uint_eq(resource_find_of(0x100 + i, &left, 1), 0);
	}
	/* What was closed was open: no release was one of nothing. */
	const struct rec_misuse *entry;
	for (uint32_t i = 0; (entry = view_misuse(recording_view(), i)); i++)
		ck_assert_uint_ne(entry->kind, MISUSE_released_twice);
}
END_TEST

START_TEST(two_sorts_may_use_one_handle)
{
	struct resource socket = { .kind = KIND_RESOURCE, .sort = 5, .handle = 3 };
	struct resource place = { .kind = KIND_RESOURCE, .sort = 6, .handle = 3 };
	struct rec_hold was;
	resource_acquired(&socket);
	ck_assert(!resource_find(&place, &was));
	resource_acquired(&place);
	ck_assert(resource_released(&socket, &was));
	ck_assert_uint_eq(was.sort, 5);
	ck_assert_uint_eq(was.handle, 3);
	ck_assert(!resource_find(&socket, &was));
	ck_assert(resource_find(&place, &was));
	resource_acquired(&place);
	ck_assert(resource_released(&place, &was));
	ck_assert_uint_eq(was.flags, HOLD_AGAIN);
	ck_assert(!resource_released(&place, NULL));
}
END_TEST

/* -- how locks are used ---------------------------------------------------------- */

#define USED_LOCKS 3u
#define USED_STACKS 300u /* more than there are cells */
#define USED_ROUNDS 5000u

/* Spin locks of the test's own: taken as hooks tell it, by calls that wait and by calls that find it free. */
static uint32_t used_locks[USED_LOCKS][16];

static uint64_t used_handle(uint32_t which)
{
	return (uintptr_t)used_locks[which];
}

static bool used_take(uint32_t which)
{
	uint32_t none = 0;
	return __atomic_compare_exchange_n(used_locks[which], &none, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void use_locks(unsigned number)
{
	(void)number;
	for (unsigned round = 0; round < USED_ROUNDS; round++) {
		uint32_t which = random_below(USED_LOCKS);
		stack_id stack = 8 * (1 + random_below(USED_STACKS));
		struct contended wait = { 0 };
		if (!used_take(which)) {
			contention_wait(&wait, KIND_SPIN, used_handle(which), MODE_EXCLUSIVE,
					OP_pthread_spin_lock, stack);
			while (!used_take(which))
				sched_yield();
		}
		hold_begin(KIND_SPIN, used_handle(which), MODE_EXCLUSIVE, OP_pthread_spin_lock, stack);
		contention_over(&wait, true);
		maybe_yield(20);
		hold_end(KIND_SPIN, used_handle(which), NULL);
		__atomic_store_n(used_locks[which], 0, __ATOMIC_RELEASE);
		/* Some wait in vain. */
		if (!random_below(50)) {
			contention_wait(&wait, KIND_SPIN, used_handle(which), MODE_EXCLUSIVE,
					OP_pthread_spin_lock, stack);
			contention_left(&wait);
		}
	}
}

/* Nothing is lost of what threads take, whoever is first; they make wait no longer than is waited, and then nobody waits. */
START_TEST(uses_are_counted)
{
	struct worker workers[THREADS];
	uint32_t before = view_uses(recording_view()); /* of the tests before */
	start(workers, THREADS, use_locks);
	while (view_uses(recording_view()) == before)
		sched_yield();
	contention_sample(sys_monotonic(), 1);
	join(workers, THREADS);
	ck_assert(!contention_anywhere());
	uint64_t taken = 0, waited = 0, made_wait = 0, waits = 0;
	uint32_t twice = 0;
	uint32_t last = view_uses(recording_view());
	uint64_t *in_cells = calloc(last + 1, sizeof *in_cells);
	view_uses_in_cells(recording_view(), in_cells, last);
	for (uint32_t i = before + 1; i <= last; i++) {
		const struct rec_use *use = view_use(recording_view(), i);
		ck_assert_ptr_nonnull(use);
		ck_assert_uint_eq(in_cells[i], 0); /* the threads have ended */
		taken += use->taken;
		waits += use->waits;
		waited += use->waited;
		made_wait += use->made_wait;
		for (uint32_t j = 1; j < i; j++) {
			const struct rec_use *other = view_use(recording_view(), j);
			twice += other->stack == use->stack && other->handle == use->handle;
		}
	}
	ck_assert_uint_eq(twice, 0);
	ck_assert_uint_eq(taken, (uint64_t)THREADS * USED_ROUNDS);
	ck_assert_uint_eq(last - before, USED_LOCKS * USED_STACKS);
	ck_assert_uint_gt(waits, 0);
	/* Sums of moments are right to the time between two readings of the clock each. */
	ck_assert_uint_le(made_wait, waited + waits * NSEC_PER_MSEC);
	free(in_cells);
}
END_TEST

/* Of the locks that one place takes some are told one by one, the others together. */
START_TEST(many_locks_of_a_place)
{
	uint32_t before = view_uses(recording_view());
	stack_id stack = 8 * (USED_STACKS + 1);
	thread_slot();
	for (unsigned round = 0; round < 100; round++)
		for (uint64_t lock = 1; lock <= 1000; lock++) {
			hold_begin(KIND_MUTEX, lock * 64, MODE_EXCLUSIVE, OP_pthread_mutex_lock, stack);
			hold_end(KIND_MUTEX, lock * 64, NULL);
		}
	uint32_t last = view_uses(recording_view());
	ck_assert_uint_eq(last - before, CONTENTION_LOCKS_EACH + 1);
	uint64_t *taken = calloc(last + 1, sizeof *taken);
	view_uses_in_cells(recording_view(), taken, last);
	for (uint32_t i = before + 1; i <= last; i++) {
		const struct rec_use *use = view_use(recording_view(), i);
		uint64_t locks = use->handle ? 1 : 1000 - CONTENTION_LOCKS_EACH;
		ck_assert_uint_eq(taken[i] + use->taken, locks * 100);
	}
	free(taken);
}
END_TEST

int main(void)
{
	if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
		printf("valgrind runs one thread at a time\n");
		return 77;
	}
	Suite *suite = suite_create("what threads share");
	TCase *tcase = tcase_create("shared");
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, stacks_have_one_id);
	tcase_add_test(tcase, rules_are_right_or_not_there);
	tcase_add_test(tcase, alerts_are_whole);
	/* Before the next, which takes locks from so many places that the table of uses is full. */
	tcase_add_test(tcase, uses_are_counted);
	tcase_add_test(tcase, many_locks_of_a_place);
	tcase_add_test(tcase, slots_are_seen_whole);
	tcase_add_test(tcase, blocks_are_counted_once);
	tcase_add_test(tcase, near_blocks_are_counted_once);
	tcase_add_test(tcase, resources_are_found_by_what_they_are_of);
	tcase_add_test(tcase, two_sorts_may_use_one_handle);
	tcase_add_test(tcase, misuses_are_counted_once);
	options_init(&options);
	recording_configure(NULL, NULL);
	SRunner *runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	random_state = 1;
	heap = mmap(NULL, BLOCKS * 48, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (heap == MAP_FAILED || recording_open() != 0)
		return 1;
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	recording_unlink();
	return failed ? 1 : 0;
}
