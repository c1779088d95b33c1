#include <check.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "registry/snapshot.h"

#include "testprogs/unit/suite.h"

#define SLOTS 300u
#define RESOURCES 300u
#define NOW (1000 * NSEC_PER_SEC)

static struct rec_header *header;
static struct rec_thread *slots;
static struct rec_hold *resources;
static struct view view;
static struct arena arena;
static struct snapshot snapshot;

static void *pages(size_t bytes)
{
	return calloc(1, bytes);
}

static void pages_free(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static void setup(void)
{
	header = calloc(1, REC_HEADER_BYTES);
	slots = aligned_alloc(REC_SLOT_BYTES, (size_t)SLOTS * REC_SLOT_BYTES);
	memset((void *)slots, 0, (size_t)SLOTS * REC_SLOT_BYTES);
	resources = calloc(RESOURCES, sizeof(*resources));
	memset(&view, 0, sizeof(view));
	view.header = header;
	view.live = true;
	view.tables[REC_THREADS] = slots;
	view.tables[REC_RESOURCES] = resources;
	header->tables[REC_THREADS].capacity = (uint64_t)SLOTS * REC_SLOT_BYTES;
	header->tables[REC_RESOURCES].capacity = RESOURCES * sizeof(*resources);
	arena = (struct arena){ .more = pages, .less = pages_free };
}

static void teardown(void)
{
	arena_release(&arena);
	free(header);
	free(slots);
	free(resources);
}

static struct rec_thread *slot_at(uint32_t index)
{
	struct rec_thread *slot = (void *)((char *)slots + (size_t)index * REC_SLOT_BYTES);
	if (header->tables[REC_THREADS].used < (uint64_t)(index + 1) * REC_SLOT_BYTES)
		header->tables[REC_THREADS].used = (uint64_t)(index + 1) * REC_SLOT_BYTES;
	return slot;
}

static struct rec_thread *make_slot(uint32_t index, thread_id id)
{
	struct rec_thread *slot = slot_at(index);
	slot->changes = 2 * id;
	slot->state = THREAD_RUNNING;
	slot->id = id;
	slot->tid = (int32_t)(4000 + id);
	memcpy(slot->name, "worker", sizeof("worker"));
	return slot;
}

static struct rec_hold *slot_hold(struct rec_thread *slot, enum kind kind, uint64_t handle, uint32_t serial)
{
	struct rec_hold *hold = &slot->holds[slot->hold_count++];
	*hold = (struct rec_hold){ .handle = handle,
				   .since = 5,
				   .count = 1,
				   .owner = slot->id,
				   .serial = serial,
				   .kind = (uint8_t)kind,
				   .mode = MODE_EXCLUSIVE,
				   .state = HOLD_LIVE };
	return hold;
}

static struct rec_hold *make_resource(uint32_t index, enum kind kind, thread_id owner, uint64_t handle,
				      uint32_t serial)
{
	struct rec_hold *hold = &resources[index];
	*hold = (struct rec_hold){ .handle = handle,
				   .since = 5,
				   .count = 1,
				   .owner = owner,
				   .serial = serial,
				   .kind = (uint8_t)kind,
				   .state = HOLD_LIVE };
	if (header->tables[REC_RESOURCES].used < (index + 1) * sizeof(*hold))
		header->tables[REC_RESOURCES].used = (index + 1) * sizeof(*hold);
	return hold;
}

static void take(void)
{
	arena_reset(&arena);
	snapshot_take(&view, NOW, &arena, &snapshot);
}

START_TEST(empty)
{
	take();
	ck_assert_uint_eq(snapshot.thread_count, 0);
	ck_assert_uint_eq(snapshot.resource_count, 0);
	ck_assert(!snapshot.incomplete);
	ck_assert_ptr_null(snapshot_thread(&snapshot, 0));
	ck_assert_ptr_null(snapshot_thread(&snapshot, 1));
	/* A recording without any table at all. */
	memset((void *)view.tables, 0, sizeof(view.tables));
	take();
	ck_assert_uint_eq(snapshot.thread_count, 0);
}
END_TEST

START_TEST(a_thread)
{
	struct rec_thread *slot = make_slot(3, 7);
	slot->flags = THREAD_DETACHED | THREAD_CANCELLED;
	slot->creator = 1;
	slot->created_stack = 11;
	slot->pthread = 12;
	slot->start_routine = 13;
	slot->argument = 14;
	slot->started = 15;
	slot->ended = 16;
	slot->stack_low = 17;
	slot->stack_high = 18;
	slot->tls = 19;
	struct rec_hold *hold = slot_hold(slot, KIND_RWLOCK, 0xa00, 21);
	hold->stack = 22;
	hold->mode = MODE_SHARED;
	hold->op = OP_pthread_rwlock_rdlock;
	slot->wait_depth = 2;
	slot->waits[0] = (struct rec_wait){ .handle = 1, .kind = KIND_MUTEX, .serial = 30 };
	slot->waits[1] =
	    (struct rec_wait){ .handle = 2, .kind = KIND_SEM, .serial = 31, .op = OP_sem_wait, .timed = 1 };
	take();
	ck_assert_uint_eq(snapshot.thread_count, 1);
	const struct snap_thread *thread = snapshot_thread(&snapshot, 7);
	ck_assert_ptr_eq(thread, &snapshot.threads[0]);
	ck_assert(!thread->torn);
	ck_assert_uint_eq(thread->slot, 3);
	ck_assert_uint_eq(thread->changes, 14);
	ck_assert_int_eq(thread->tid, 4007);
	ck_assert_uint_eq(thread->state, THREAD_RUNNING);
	ck_assert_uint_eq(thread->flags, THREAD_DETACHED | THREAD_CANCELLED);
	ck_assert_uint_eq(thread->creator, 1);
	ck_assert_uint_eq(thread->created_stack, 11);
	ck_assert_uint_eq(thread->pthread, 12);
	ck_assert_uint_eq(thread->start_routine, 13);
	ck_assert_uint_eq(thread->argument, 14);
	ck_assert_uint_eq(thread->started, 15);
	ck_assert_uint_eq(thread->ended, 16);
	ck_assert_uint_eq(thread->stack_low, 17);
	ck_assert_uint_eq(thread->stack_high, 18);
	ck_assert_uint_eq(thread->tls, 19);
	ck_assert_str_eq(thread->name, "worker");
	ck_assert_uint_eq(thread->hold_count, 1);
	ck_assert_uint_eq(thread->holds[0].handle, 0xa00);
	ck_assert_uint_eq(thread->holds[0].stack, 22);
	ck_assert_uint_eq(thread->holds[0].mode, MODE_SHARED);
	/* The innermost wait. */
	ck_assert(thread->waiting);
	ck_assert_uint_eq(thread->wait.serial, 31);
	ck_assert_uint_eq(thread->wait.op, OP_sem_wait);
	ck_assert_ptr_eq(snapshot_thread_by_tid(&snapshot, 4007), thread);
	ck_assert_ptr_null(snapshot_thread_by_tid(&snapshot, 4008));
}
END_TEST

START_TEST(by_id_whatever_the_slots)
{
	/* Slots are used again, so that ids come in any order. */
	srand(1);
	for (uint32_t i = 0; i < SLOTS; i++)
		make_slot(i, i + 1);
	for (uint32_t i = 0; i < SLOTS; i++) {
		uint32_t other = (uint32_t)rand() % SLOTS;
		thread_id id = slot_at(i)->id;
		slot_at(i)->id = slot_at(other)->id;
		slot_at(other)->id = id;
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		slot_hold(slot_at(i), KIND_MUTEX, slot_at(i)->id, 1);
	slot_at(17)->state = THREAD_FREE;
	thread_id missing = slot_at(17)->id;
	take();
	ck_assert_uint_eq(snapshot.thread_count, SLOTS - 1);
	for (uint32_t i = 0; i + 1 < snapshot.thread_count; i++)
		ck_assert_uint_lt(snapshot.threads[i].id, snapshot.threads[i + 1].id);
	for (thread_id id = 1; id <= SLOTS; id++) {
		const struct snap_thread *thread = snapshot_thread(&snapshot, id);
		if (id == missing) {
			ck_assert_ptr_null(thread);
			continue;
		}
		ck_assert_uint_eq(thread->id, id);
		ck_assert_uint_eq(slot_at(thread->slot)->id, id);
		ck_assert_uint_eq(thread->holds[0].handle, id);
	}
}
END_TEST

START_TEST(tid_of_a_thread_that_is_gone)
{
	make_slot(0, 1)->state = THREAD_ENDED;
	make_slot(1, 2)->tid = 4001;
	take();
	ck_assert_uint_eq(snapshot_thread_by_tid(&snapshot, 4001)->id, 2);
}
END_TEST

START_TEST(holds_that_are_over)
{
	struct rec_thread *slot = make_slot(0, 1);
	slot_hold(slot, KIND_MUTEX, 1, 4)->state = HOLD_GONE;
	slot_hold(slot, KIND_MUTEX, 2, 9)->state = HOLD_PARKED;
	slot_hold(slot, KIND_MUTEX, 3, 6)->state = HOLD_FREE;
	slot_hold(slot, KIND_MUTEX, 4, 7);
	slot_hold(slot, KIND_NONE, 5, 8);
	slot_hold(slot, KIND_COUNT, 6, 10);
	slot_hold(slot, KIND_MUTEX, 7, 11)->state = 77;
	take();
	/* The oldest first: a mutex that a condition wait gave back is younger than its place says. */
	ck_assert_uint_eq(snapshot.threads[0].hold_count, 2);
	ck_assert_uint_eq(snapshot.threads[0].holds[0].handle, 4);
	ck_assert_uint_eq(snapshot.threads[0].holds[1].handle, 2);
	ck_assert_uint_eq(snapshot.threads[0].holds[1].state, HOLD_PARKED);
}
END_TEST

START_TEST(hostile_numbers)
{
	struct rec_thread *slot = make_slot(0, 1);
	memset(slot->name, 'x', sizeof(slot->name));
	slot->started = slot->ended = UINT64_MAX;
	slot->wait_depth = UINT16_MAX;
	for (uint32_t i = 0; i < REC_SLOT_WAITS; i++)
		slot->waits[i] = (struct rec_wait){
			.kind = KIND_MUTEX, .op = UINT16_MAX, .mode = UINT8_MAX, .since = UINT64_MAX
		};
	for (uint32_t i = 0; i < REC_SLOT_HOLDS; i++) {
		struct rec_hold *hold = slot_hold(slot, KIND_MUTEX, i, i);
		hold->op = UINT16_MAX;
		hold->mode = UINT8_MAX;
		hold->since = UINT64_MAX;
		hold->count = 0;
		hold->owner = 99;
	}
	slot->hold_count = UINT16_MAX;
	make_slot(1, 2)->state = 12345;
	make_slot(2, 0);
	make_slot(3, 3)->waits[0].kind = UINT8_MAX;
	slot_at(3)->wait_depth = 1;
	make_resource(0, KIND_ITERATOR, 1, 1, 1)->op = UINT16_MAX;
	make_resource(1, KIND_COUNT + 5, 1, 2, 2);
	header->tables[REC_RESOURCES].used = UINT64_MAX;
	header->tables[REC_THREADS].used = UINT64_MAX;
	header->live_bytes = 0;
	slot->freed = AMOUNT_BLOCK + 100;
	take();
	ck_assert_uint_eq(snapshot.thread_count, 2);
	const struct snap_thread *thread = &snapshot.threads[0];
	ck_assert_uint_eq(strlen(thread->name), REC_NAME_BYTES - 1);
	ck_assert_uint_eq(thread->started, NOW);
	ck_assert_uint_eq(thread->ended, NOW);
	ck_assert(thread->waiting);
	ck_assert_uint_eq(thread->wait.since, NOW);
	ck_assert_uint_eq(thread->wait.op, OP_none);
	ck_assert_uint_eq(thread->wait.mode, MODE_NONE);
	ck_assert_uint_eq(thread->hold_count, REC_SLOT_HOLDS);
	for (uint32_t i = 0; i < REC_SLOT_HOLDS; i++) {
		ck_assert_uint_eq(thread->holds[i].op, OP_none);
		ck_assert_uint_eq(thread->holds[i].mode, MODE_NONE);
		ck_assert_uint_eq(thread->holds[i].since, NOW);
		ck_assert_uint_eq(thread->holds[i].count, 1);
		ck_assert_uint_eq(thread->holds[i].owner, 1);
	}
	ck_assert(!snapshot.threads[1].waiting);
	ck_assert_uint_eq(snapshot.resource_count, 1);
	ck_assert_uint_eq(snapshot.resources[0].op, OP_none);
	ck_assert_uint_eq(snapshot.live_bytes, 0);
}
END_TEST

START_TEST(resources_and_what_found_no_room)
{
	struct rec_thread *slot = make_slot(0, 5);
	for (uint32_t i = 0; i < REC_SLOT_HOLDS; i++)
		slot_hold(slot, KIND_MUTEX, 100 + i, 10 + i);
	make_slot(1, 6);
	make_resource(0, KIND_ITERATOR, 5, 1, 3);
	make_resource(1, KIND_MUTEX, 5, 200, 99);
	make_resource(2, KIND_RWLOCK, 6, 300, 1);
	make_resource(3, KIND_SEM, 5, 400, 4);
	make_resource(4, KIND_STREAM, 77, 2, 1);
	make_resource(5, KIND_DIRECTORY, 5, 3, 1)->state = HOLD_FREE;
	make_resource(6, KIND_DIRECTORY, 5, 4, 1)->state = HOLD_PARKED;
	make_resource(7, KIND_MUTEX, 5, 500, 5)->state = HOLD_GONE;
	make_resource(8, KIND_MUTEX, 77, 600, 5); /* of nobody who is known */
	take();
	ck_assert_uint_eq(snapshot.resource_count, 2);
	ck_assert_uint_eq(snapshot.resources[0].handle, 1);
	ck_assert_uint_eq(snapshot.resources[1].owner, 77);
	const struct snap_thread *thread = snapshot_thread(&snapshot, 5);
	ck_assert_uint_eq(thread->hold_count, REC_SLOT_HOLDS + 2);
	ck_assert_uint_eq(thread->holds[0].handle, 400);
	ck_assert_uint_eq(thread->holds[1].handle, 100);
	ck_assert_uint_eq(thread->holds[REC_SLOT_HOLDS + 1].handle, 200);
	thread = snapshot_thread(&snapshot, 6);
	ck_assert_uint_eq(thread->hold_count, 1);
	ck_assert_uint_eq(thread->holds[0].kind, KIND_RWLOCK);
}
END_TEST

/* A site counts what it has itself and what threads have in their cells; others' cells are not for it. */
START_TEST(counts_of_a_site)
{
	struct rec_site sites[600] = {
		[7] = { .live_bytes = 500,
			.live_blocks = 5,
			.total_bytes = 900,
			.total_blocks = 9,
			.peak_bytes = 600 },
		[8] = { .live_bytes = 100, .live_blocks = 1, .total_bytes = 100, .total_blocks = 1 },
	};
	struct rec_cells *cells = aligned_alloc(64, 3 * sizeof *cells);
	memset((void *)cells, 0, 3 * sizeof *cells);
	header->tables[REC_SITES].capacity = header->tables[REC_SITES].used = sizeof sites;
	header->tables[REC_CELLS].capacity = header->tables[REC_CELLS].used = 3 * sizeof *cells;
	view.tables[REC_SITES] = sites;
	view.tables[REC_CELLS] = cells;
	/* One thread made, another freed; a third has another site of the same place. */
	cells[0].cells[7] = (struct rec_cell){ .site = 7, .made = 3 * AMOUNT_BLOCK + 300, .peak = 300 };
	cells[1].cells[7] = (struct rec_cell){ .site = 7, .freed = 2 * AMOUNT_BLOCK + 200 };
	cells[2].cells[7] = (struct rec_cell){ .site = 7 + REC_CELLS_EACH, .made = AMOUNT_BLOCK + 5000 };
	struct site_counts counts = view_site_counts(&view, 7);
	ck_assert_uint_eq(counts.live_bytes, 600);
	ck_assert_uint_eq(counts.live_blocks, 6);
	ck_assert_uint_eq(counts.total_bytes, 1200);
	ck_assert_uint_eq(counts.total_blocks, 12);
	ck_assert_uint_eq(counts.peak_bytes, 800);
	/* What is freed may be seen before what was made: nothing is below zero. */
	cells[1].cells[8] = (struct rec_cell){ .site = 8, .freed = 2 * AMOUNT_BLOCK + 150 };
	counts = view_site_counts(&view, 8);
	ck_assert_uint_eq(counts.live_bytes, 0);
	ck_assert_uint_eq(counts.live_blocks, 0);
	/* A cell that is being moved belongs to nobody, and nothing is read past the tables. */
	cells[0].cells[7].site = 0;
	ck_assert_uint_eq(view_site_counts(&view, 7).total_bytes, 900);
	ck_assert_uint_eq(view_site_counts(&view, 600).total_bytes, 0);
	ck_assert_uint_eq(view_site_counts(&view, 0).total_bytes, 0);
	header->tables[REC_CELLS].used = UINT64_MAX;
	ck_assert_uint_eq(view_site_counts(&view, 7).live_bytes, 300);
	free(cells);
}
END_TEST

START_TEST(sums_of_the_heap)
{
	header->live_bytes = 1000;
	header->live_blocks = 10;
	header->total_bytes = 5000;
	header->total_blocks = 50;
	header->peak_bytes = 2000;
	for (uint32_t i = 0; i < 3; i++) {
		struct rec_thread *slot = make_slot(i, i + 1);
		slot->made = 6 * AMOUNT_BLOCK + 600;
		slot->freed = AMOUNT_BLOCK + 100;
	}
	slot_at(2)->state = THREAD_FREE; /* ended in a way that flushed nothing */
	take();
	ck_assert_uint_eq(snapshot.live_bytes, 1000 + 3 * 500);
	ck_assert_uint_eq(snapshot.live_blocks, 10 + 3 * 5);
	ck_assert_uint_eq(snapshot.total_bytes, 5000 + 3 * 600);
	ck_assert_uint_eq(snapshot.total_blocks, 50 + 3 * 6);
	ck_assert_uint_eq(snapshot.peak_bytes, 2500);
	header->peak_bytes = 9000;
	take();
	ck_assert_uint_eq(snapshot.peak_bytes, 9000);
}
END_TEST

START_TEST(last_look_at_its_stack)
{
	struct rec_thread *slot = make_slot(0, 1);
	slot->now_stack = 4711;
	slot->now_serial = slot->changes;
	slot->now_mono = 99;
	take();
	ck_assert_uint_eq(snapshot.threads[0].now_stack, 4711);
	ck_assert_uint_eq(snapshot.threads[0].now_at, 99);
	/* It has done something since. */
	slot->changes += 2;
	take();
	ck_assert_uint_eq(snapshot.threads[0].now_stack, 0);
}
END_TEST

START_TEST(in_the_middle_of_a_write)
{
	make_slot(0, 1);
	make_slot(1, 2)->changes++;
	view.live = _i;
	take();
	ck_assert_uint_eq(snapshot.thread_count, 2);
	ck_assert(!snapshot.threads[0].torn);
	ck_assert(snapshot.threads[1].torn);
}
END_TEST

static atomic_bool stop;

/* Writes pairs that must be seen together, under the slot's sequence lock, as its owner does. */
static void *write_slot(void *data)
{
	struct rec_thread *slot = data;
	for (uint64_t number = 1; !stop; number++) {
		atomic_store_explicit(&slot->changes, slot->changes + 1, memory_order_relaxed);
		atomic_thread_fence(memory_order_release);
		slot->pthread = number;
		slot->waits[0].handle = number;
		slot->holds[0].handle = number;
		slot->holds[40].container = number;
		atomic_store_explicit(&slot->changes, slot->changes + 1, memory_order_release);
		/* Most of the time a thread does other things. */
		for (volatile unsigned i = 0; i < 200; i++)
			;
	}
	return NULL;
}

START_TEST(while_it_is_written)
{
	struct rec_thread *slot = make_slot(0, 1);
	slot->wait_depth = 1;
	slot->waits[0].kind = KIND_MUTEX;
	for (uint32_t i = 0; i < 41; i++)
		slot_hold(slot, KIND_MUTEX, 0, i);
	stop = false;
	pthread_t writer;
	ck_assert_int_eq(pthread_create(&writer, NULL, write_slot, slot), 0);
	unsigned whole = 0;
	uint64_t first = 0, last = 0;
	for (unsigned look = 0; look < 20000; look++) {
		take();
		const struct snap_thread *thread = &snapshot.threads[0];
		if (thread->torn)
			continue;
		whole++;
		last = thread->pthread;
		first = first ? first : last;
		ck_assert_uint_eq(thread->changes % 2, 0);
		ck_assert_uint_eq(thread->pthread, thread->wait.handle);
		ck_assert_uint_eq(thread->pthread, thread->holds[0].handle);
		ck_assert_uint_eq(thread->pthread, thread->holds[40].container);
	}
	stop = true;
	pthread_join(writer, NULL);
	ck_assert_uint_gt(whole, 0);
	ck_assert_uint_gt(last, first); /* the writer did write meanwhile */
}
END_TEST

START_TEST(time_that_does_not_count)
{
	struct rec_thread *slot = make_slot(0, 1);
	slot_hold(slot, KIND_MUTEX, 1, 1)->since = 100;
	slot_hold(slot, KIND_MUTEX, 2, 2)->since = 250;
	slot_hold(slot, KIND_MUTEX, 3, 3)->since = 300;
	slot_hold(slot, KIND_MUTEX, 4, 4)->since = 0;
	slot->wait_depth = 1;
	slot->waits[0] = (struct rec_wait){ .kind = KIND_MUTEX, .since = 199 };
	make_resource(0, KIND_ITERATOR, 1, 1, 1)->since = 150;
	take();
	snapshot_discount(&snapshot, 200, 300);
	const struct snap_thread *thread = &snapshot.threads[0];
	ck_assert_uint_eq(thread->holds[0].since, 200);
	ck_assert_uint_eq(thread->holds[1].since, 300);
	ck_assert_uint_eq(thread->holds[2].since, 300);
	ck_assert_uint_eq(thread->holds[3].since, 0);
	ck_assert_uint_eq(thread->wait.since, 299);
	ck_assert_uint_eq(snapshot.resources[0].since, 250);
}
END_TEST

static int pages_left;

static void *few_pages(size_t bytes)
{
	return pages_left-- > 0 ? calloc(1, bytes) : NULL;
}

START_TEST(memory_runs_out)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct rec_thread *slot = make_slot(i, SLOTS - i);
		for (uint32_t h = 0; h < REC_SLOT_HOLDS; h++)
			slot_hold(slot, KIND_MUTEX, h, h);
		make_resource(i, i % 2 ? KIND_MUTEX : KIND_ITERATOR, i + 1, i, 1000);
	}
	bool complete = false;
	for (int left = 0; left < 40 && !complete; left++) {
		struct arena small = { .more = few_pages, .less = pages_free };
		pages_left = left;
		snapshot_take(&view, NOW, &small, &snapshot);
		complete = !snapshot.incomplete;
		ck_assert(complete == !small.failed);
		/* Whatever is there is sound. */
		for (uint32_t i = 0; i < snapshot.thread_count; i++)
			for (uint32_t h = 0; h < snapshot.threads[i].hold_count; h++)
				ck_assert_uint_eq(snapshot.threads[i].holds[h].kind, KIND_MUTEX);
		arena_release(&small);
	}
	ck_assert(complete);
	ck_assert_uint_eq(snapshot.thread_count, SLOTS);
}
END_TEST

int main(void)
{
	Suite *all = suite_create("snapshot");
	TCase *tests = tcase_create("snapshot");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, empty);
	tcase_add_test(tests, a_thread);
	tcase_add_test(tests, by_id_whatever_the_slots);
	tcase_add_test(tests, tid_of_a_thread_that_is_gone);
	tcase_add_test(tests, holds_that_are_over);
	tcase_add_test(tests, hostile_numbers);
	tcase_add_test(tests, resources_and_what_found_no_room);
	tcase_add_test(tests, counts_of_a_site);
	tcase_add_test(tests, sums_of_the_heap);
	tcase_add_test(tests, last_look_at_its_stack);
	tcase_add_loop_test(tests, in_the_middle_of_a_write, 0, 2);
	tcase_add_test(tests, while_it_is_written);
	tcase_add_test(tests, time_that_does_not_count);
	tcase_add_test(tests, memory_runs_out);
	suite_add_tcase(all, tests);
	return suite_run(all) != 0;
}
