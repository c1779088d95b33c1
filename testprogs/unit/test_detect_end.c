#include <check.h>

#include "world_threads.h"

#define A 0xa00
#define B 0xb00

static void ends(struct snap_thread *thread, nsec_t ago)
{
	thread->state = THREAD_ENDED;
	thread->ended = world->snapshot.now - ago;
	thread->waiting = false;
}

static void expect_none(void)
{
	world_end(world);
	ck_assert_uint_eq(world->found.count, 0);
}

static const struct finding *expect_held(const struct snap_thread *thread)
{
	world_end(world);
	ck_assert_uint_eq(world->found.count, 1);
	const struct finding *finding = world_found(world, FINDING_held_at_exit);
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->thread, thread->id);
	ck_assert_int_eq(finding->severity, SEVERITY_ERROR);
	return finding;
}

/* -- held-at-exit -------------------------------------------------------------- */

START_TEST(thread_ended_with_a_lock)
{
	world_mutex(world, t[1], A, 5 * SEC);
	t[1]->created_stack = 88;
	t[1]->flags = THREAD_DETACHED;
	ends(t[1], 1 * SEC);
	const struct finding *finding = expect_held(t[1]);
	ck_assert(finding->flags & FOUND_AT_EXIT);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[0].role, ROLE_acquired);
	ck_assert_uint_eq(finding->items[0].stack, t[1]->holds[0].stack);
	ck_assert(finding->items[0].flags & ITEM_SUBJECT);
	ck_assert(finding->items[0].flags & ITEM_ENDED);
	ck_assert_uint_eq(finding->items[1].role, ROLE_created);
	ck_assert_uint_eq(finding->items[1].stack, 88);
	/* In whatever way the process ended. */
	world->view.live = false;
	expect_held(t[1]);
	world->header.state = REC_ABORTED;
	expect_held(t[1]);
	/* A copy that is not whole proves nothing. */
	t[1]->torn = true;
	expect_none();
}
END_TEST

START_TEST(while_the_process_lives)
{
	world_mutex(world, t[1], A, 5 * SEC);
	ends(t[1], 1 * SEC);
	/* It may have been handed over. */
	ck_assert_uint_eq(world_look(world), 0);
	/* But now somebody waits for it. */
	world_mutex(world, t[2], B, 60 * SEC);
	world_wants(world, t[2], A, 60 * SEC);
	ck_assert_uint_eq(world_look(world), 1);
	const struct finding *finding = world_found(world, FINDING_held_at_exit);
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 1);
	ck_assert(!(finding->flags & FOUND_AT_EXIT));
	ck_assert_ptr_nonnull(item_of(finding, ROLE_waits, t[2], 0));
	uint64_t key = finding->key;
	/* At the end it is the same incident. */
	world->header.state = REC_RUNNING;
	world->view.live = false;
	world_end(world);
	ck_assert_uint_eq(world_found(world, FINDING_held_at_exit)->key, key);
}
END_TEST

START_TEST(once_by_both_runs)
{
	world_mutex(world, t[1], A, 5 * SEC);
	world_wants(world, t[2], A, 1 * SEC);
	ends(t[1], 1 * SEC);
	world->view.live = false;
	world_look(world);
	detect_end(&world->snapshot, &world->limits, &world->found);
	ck_assert_uint_eq(world_count(world, FINDING_held_at_exit), 1);
}
END_TEST

START_TEST(held_for_life)
{
	static struct rec_use use;
	use = (struct rec_use){
		.handle = A, .kind = KIND_MUTEX, .op = OP_pthread_mutex_lock, .stack = 1, .taken = 1
	};
	world->view.tables[REC_USES] = (char *)&use;
	world->header.tables[REC_USES].used = sizeof use;
	world->header.started_mono = world->snapshot.now - 100 * SEC;
	struct rec_hold *hold = world_mutex(world, t[0], A, 99 * SEC);
	world_end(world);
	ck_assert_uint_eq(world->found.count, 1);
	const struct finding *finding = world_found(world, FINDING_held_at_exit);
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	ck_assert(finding->flags & FOUND_FOR_LIFE);
	/* Each of these by itself makes it an error. */
	use.taken = 2;
	expect_held(t[0]);
	use.taken = 1;
	use.waits = 1;
	expect_held(t[0]);
	use.waits = 0;
	use.handle = B;
	expect_held(t[0]);
	use.handle = A;
	hold->since = world->snapshot.now - 80 * SEC;
	expect_held(t[0]);
	hold->since = world->snapshot.now - 99 * SEC;
	world->limits.exiting = t[1]->id;
	expect_held(t[0]);
	world->limits.exiting = 0;
	t[0]->state = THREAD_ENDED;
	expect_held(t[0]);
}
END_TEST

START_TEST(robust_mutex)
{
	world_mutex(world, t[1], A, 5 * SEC);
	ends(t[1], 1 * SEC);
	t[1]->flags = THREAD_JOINED;
	world_wants(world, t[2], A, 1 * SEC);
	world_object(world, KIND_MUTEX, A, OBJECT_ROBUST);
	ck_assert_uint_eq(world_look(world), 0);
	expect_none();
}
END_TEST

START_TEST(not_bound_to_threads)
{
	world_hold(world, t[1], KIND_SEM, A, MODE_EXCLUSIVE, 5 * SEC);
	ends(t[1], 1 * SEC);
	t[1]->flags = THREAD_DETACHED;
	expect_none();
}
END_TEST

START_TEST(main_exits_with_a_lock)
{
	world_mutex(world, t[0], A, 1);
	expect_held(t[0]);
	world->header.state = REC_EXITED;
	world->view.live = false;
	expect_held(t[0]);
	world->header.state = REC_EXECED;
	expect_none();
	world->header.state = REC_ABORTED;
	expect_none();
	world->header.state = REC_RUNNING; /* it was killed */
	expect_none();
}
END_TEST

START_TEST(others_in_a_short_section)
{
	world_mutex(world, t[1], A, 50 * MS);
	expect_none();
	world_pass(world, 50 * MS);
	expect_held(t[1]);
}
END_TEST

/* As the leader of a pool, who waits for a client with the pool's lock. */
START_TEST(others_who_wait_for_something_outside)
{
	world_mutex(world, t[1], A, 5 * SEC);
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 4 * SEC);
	world_wants(world, t[2], A, 3 * SEC);
	expect_none();
	/* Not so who ends the process, and who waits for another thread. */
	world->limits.exiting = t[1]->id;
	expect_held(t[1]);
	world->limits.exiting = t[0]->id;
	world_cond(world, t[1], B, 4 * SEC);
	expect_held(t[1]);
}
END_TEST

START_TEST(whoever_calls_exit)
{
	world_mutex(world, t[1], A, 1);
	world_mutex(world, t[0], B, 1);
	world->limits.exiting = t[1]->id;
	expect_held(t[1]);
}
END_TEST

START_TEST(given_up_for_a_wait)
{
	world_cond(world, t[1], A, 60 * SEC);
	expect_none();
}
END_TEST

START_TEST(inherited_by_fork)
{
	world->header.fork_parent = 42;
	world->header.started_mono = world->snapshot.now - 5 * SEC;
	world_mutex(world, t[0], A, 6 * SEC);
	expect_none();
	t[0]->holds[0].since = world->snapshot.now - 4 * SEC;
	expect_held(t[0]);
	t[0]->holds[0].since = world->snapshot.now - 6 * SEC;
	world->header.fork_parent = 0;
	expect_held(t[0]);
}
END_TEST

START_TEST(somebody_else_has_it_by_now)
{
	world_mutex(world, t[1], A, 60 * SEC);
	ends(t[1], 50 * SEC);
	t[1]->flags = THREAD_DETACHED;
	world_mutex(world, t[2], A, 1 * MS);
	expect_none();
}
END_TEST

/* -- thread-leak ---------------------------------------------------------------- */

START_TEST(never_joined)
{
	for (unsigned i = 1; i < 7; i++) {
		t[i]->created_stack = i < 5 ? 88 : 89;
		t[i]->start_routine = 0x1000;
		t[i]->started = i;
		ends(t[i], i * SEC);
	}
	world_end(world);
	ck_assert_uint_eq(world->found.count, 2);
	ck_assert_uint_eq(world_count(world, FINDING_thread_leak), 2);
	const struct finding *finding =
	    world->found.found[0]; /* the oldest first: 6 and 5 ended before the others */
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(finding->thread, t[6]->id);
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	finding = world->found.found[1];
	ck_assert_uint_eq(finding->count, 4);
	ck_assert_uint_eq(finding->thread, t[4]->id);
	ck_assert_uint_eq(finding->item_count, 1);
	ck_assert_uint_eq(finding->items[0].role, ROLE_created);
	ck_assert_uint_eq(finding->items[0].stack, 88);
	ck_assert_uint_eq(finding->items[0].count, 4);
	/* A running process may still join them. */
	ck_assert_uint_eq(world_look(world), 0);
	/* So might one that was killed. */
	world->view.live = false;
	expect_none();
}
END_TEST

START_TEST(not_leaked)
{
	static const unsigned flags[] = { THREAD_DETACHED, THREAD_JOINED, THREAD_FOREIGN, THREAD_MAIN };
	ends(t[1], 1 * SEC);
	t[1]->flags = flags[_i];
	expect_none();
	t[1]->flags = THREAD_CANCELLED;
	world_end(world);
	ck_assert_uint_eq(world_count(world, FINDING_thread_leak), 1);
}
END_TEST

START_TEST(still_running_is_not_leaked)
{
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 60 * SEC);
	t[2]->state = THREAD_STARTING;
	expect_none();
}
END_TEST

START_TEST(ended_a_moment_ago_may_still_be_joined)
{
	ends(t[1], 10 * NSEC_PER_MSEC);
	t[1]->created_stack = 5;
	expect_none();
	/* Counted with another one of its kind. */
	ends(t[2], 1 * SEC);
	t[2]->created_stack = 5;
	world_end(world);
	const struct finding *finding = world_found(world, FINDING_thread_leak);
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(finding->thread, t[2]->id);
}
END_TEST

/* -- the rest -------------------------------------------------------------------- */

START_TEST(limits_come_from_options)
{
	struct options from = {
		.blocked = 1,
		.held = 2,
		.iterating = 3,
		.idle_blocked = 4,
		.heap_growth_rate = 5,
		.heap_growth_for = 6,
		.thread_growth_percent = 7,
		.thread_growth_in = 8,
	};
	struct limits limits;
	limits_from_options(&limits, &from);
	ck_assert_uint_eq(limits.blocked, 1);
	ck_assert_uint_eq(limits.held, 2);
	ck_assert_uint_eq(limits.iterating, 3);
	ck_assert_uint_eq(limits.idle_blocked, 4);
	ck_assert_uint_eq(limits.heap_growth_rate, 5);
	ck_assert_uint_eq(limits.heap_growth_for, 6);
	ck_assert_uint_eq(limits.thread_growth_percent, 7);
	ck_assert_uint_eq(limits.thread_growth_in, 8);
	ck_assert_uint_eq(limits.exiting, 0);
	world->header.limits_blocked = 11;
	world->header.limits_held = 12;
	world->header.limits_iterating = 13;
	world->header.limits_idle = 14;
	limits_from_recording(&limits, &world->view);
	ck_assert_uint_eq(limits.blocked, 11);
	ck_assert_uint_eq(limits.held, 12);
	ck_assert_uint_eq(limits.iterating, 13);
	ck_assert_uint_eq(limits.idle_blocked, 14);
	ck_assert_uint_eq(limits.heap_growth_rate, 0);
}
END_TEST

START_TEST(most_serious_and_oldest_first)
{
	/* A long hold (warning), an older iterator (warning), and newest of all a stuck holder (error). */
	world_mutex(world, t[1], A, 500 * SEC);
	world_wants(world, t[2], A, 1 * SEC);
	world_iterator(world, t[3], KIND_ITERATOR, 77, 600 * SEC);
	world_mutex(world, t[4], B, 20 * SEC);
	world_wait(world, t[4], KIND_FD, 3, MODE_NONE, 11 * SEC);
	ck_assert_uint_eq(world_look(world), 3);
	ck_assert_uint_eq(world->found.found[0]->kind, FINDING_stuck_holder);
	ck_assert_uint_eq(world->found.found[1]->kind, FINDING_iterator_open);
	ck_assert_uint_eq(world->found.found[2]->kind, FINDING_long_hold);
}
END_TEST

START_TEST(looks_by_kind)
{
	ck_assert_uint_eq(detect_looks(FINDING_deadlock), 2);
	ck_assert_uint_eq(detect_looks(FINDING_stuck_holder), 2);
	ck_assert_uint_eq(detect_looks(FINDING_heap_growth), 1);
	ck_assert_uint_eq(detect_looks(FINDING_double_free), 1);
	ck_assert_uint_eq(detect_looks(FINDING_COUNT + 1000), 1);
}
END_TEST

static int pages_left;

static void *few_pages(size_t bytes)
{
	return pages_left-- > 0 ? calloc(1, bytes) : NULL;
}

/* With however little memory, a run ends, and says that something is missing. */
START_TEST(memory_runs_out)
{
	for (unsigned i = 0; i < 200; i++) {
		struct snap_thread *thread = world_thread(world);
		world_mutex(world, thread, A + i, 60 * SEC);
		world_wants(world, thread, A + (i + 1) % 200, 50 * SEC);
		world_iterator(world, thread, KIND_ITERATOR, i, 60 * SEC);
		if (world->snapshot.resource_count == WORLD_RESOURCES)
			world->snapshot.resource_count--;
	}
	bool complete = false;
	for (int pages = 0; pages < 40 && !complete; pages++) {
		struct arena arena = { .more = few_pages, .less = world_pages_free };
		struct finding_list list = { .arena = &arena };
		pages_left = pages;
		detect_live(&world->snapshot, &world->limits, &list);
		complete = !list.incomplete;
		ck_assert(complete == !arena.failed);
		arena_release(&arena);
	}
	ck_assert(complete);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("end");
	TCase *tests = tcase_create("end");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, thread_ended_with_a_lock);
	tcase_add_test(tests, while_the_process_lives);
	tcase_add_test(tests, once_by_both_runs);
	tcase_add_test(tests, held_for_life);
	tcase_add_test(tests, robust_mutex);
	tcase_add_test(tests, not_bound_to_threads);
	tcase_add_test(tests, main_exits_with_a_lock);
	tcase_add_test(tests, others_in_a_short_section);
	tcase_add_test(tests, others_who_wait_for_something_outside);
	tcase_add_test(tests, whoever_calls_exit);
	tcase_add_test(tests, given_up_for_a_wait);
	tcase_add_test(tests, inherited_by_fork);
	tcase_add_test(tests, somebody_else_has_it_by_now);
	tcase_add_test(tests, never_joined);
	tcase_add_loop_test(tests, not_leaked, 0, 4);
	tcase_add_test(tests, still_running_is_not_leaked);
	tcase_add_test(tests, ended_a_moment_ago_may_still_be_joined);
	tcase_add_test(tests, limits_come_from_options);
	tcase_add_test(tests, most_serious_and_oldest_first);
	tcase_add_test(tests, looks_by_kind);
	tcase_add_test(tests, memory_runs_out);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
