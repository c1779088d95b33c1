#include <check.h>

#include "world_threads.h"

#define A 0xa00
#define B 0xb00
#define C 0xc00
#define CHANNEL 0xe00

/* `thread` is blocked in a read. */
static struct rec_wait *reads(struct snap_thread *thread, nsec_t age)
{
	return world_wait(world, thread, KIND_FD, 3, MODE_NONE, age);
}

static const struct finding *expect_stuck(const struct snap_thread *thread)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_stuck_holder), 1);
	const struct finding *finding = world_found(world, FINDING_stuck_holder);
	ck_assert_uint_eq(finding->thread, thread->id);
	ck_assert_uint_eq(finding->since, thread->wait.since);
	ck_assert_uint_eq(finding->limit, world->limits.blocked);
	ck_assert(item_of(finding, ROLE_blocked, thread, 0)->flags & ITEM_SUBJECT);
	return finding;
}

static void expect_none(void)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_stuck_holder), 0);
}

/* The case this project began with: an iterator, its container's read lock, a channel that nobody fills. */
START_TEST(founding_case)
{
	struct rec_hold *iterator = world_iterator(world, t[1], KIND_ITERATOR, 77, 10400 * MS);
	iterator->container = B;
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 10300 * MS);
	world_cond(world, t[1], CHANNEL, 10200 * MS);
	for (unsigned i = 2; i < 6; i++)
		world_wait(world, t[i], KIND_RWLOCK, A, MODE_EXCLUSIVE, 10100 * MS - i * 10 * MS);
	world_join(world, t[0], t[1], 10400 * MS);
	world_object(world, KIND_RWLOCK, A, 0)->name = 99;

	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_int_eq(finding->severity, SEVERITY_ERROR);
	ck_assert_uint_eq(finding->count, 5);
	ck_assert(finding->flags & FOUND_STARVED_WRITER);
	ck_assert_uint_eq(finding->item_count, 1 + 2 + 5);
	ck_assert_uint_eq(finding->items[0].role, ROLE_blocked);
	ck_assert_uint_eq(finding->items[0].object_kind, KIND_COND);
	const struct finding_item *opened = item_of(finding, ROLE_opened, t[1], 0);
	ck_assert_uint_eq(opened->stack, 77);
	ck_assert_uint_eq(opened->handle, iterator->handle);
	const struct finding_item *acquired = item_of(finding, ROLE_acquired, NULL, 0);
	ck_assert_uint_eq(acquired->handle, A);
	ck_assert_uint_eq(acquired->mode, MODE_SHARED);
	ck_assert_uint_eq(acquired->name, 99);
	/* The channel's mutex was given up for the wait. */
	ck_assert_ptr_null(item_of(finding, ROLE_acquired, NULL, 1));
	/* Waiters, the longest wait first: main's join, then the writers in the order in which they came. */
	for (unsigned i = 0; i < 5; i++) {
		const struct finding_item *waits = item_of(finding, ROLE_waits, NULL, i);
		ck_assert_uint_eq(waits->thread, i ? i + 2 : 1);
		ck_assert_uint_eq(waits->other, t[1]->id);
		ck_assert_uint_eq(waits->stack, 2000 + waits->thread);
	}
	/* Nothing else is wrong: not the lock held for long, not the iterator open for long. */
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

START_TEST(not_yet)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 10 * SEC - 1);
	expect_none();
	world_pass(world, 1);
	expect_stuck(t[1]);
}
END_TEST

START_TEST(switched_off)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 60 * SEC);
	expect_stuck(t[1]);
	world->limits.blocked = 0;
	expect_none();
}
END_TEST

START_TEST(lock_without_waiters)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 60 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->count, 0);
	ck_assert(!(finding->flags & FOUND_STARVED_WRITER));
}
END_TEST

START_TEST(iterator_alone)
{
	world_iterator(world, t[1], KIND_DIRECTORY, 77, 60 * SEC);
	reads(t[1], 60 * SEC);
	ck_assert_uint_eq(items_of(expect_stuck(t[1]), ROLE_opened), 1);
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

START_TEST(a_sleep_counts_and_a_timeout_too)
{
	world_mutex(world, t[1], A, 60 * SEC);
	world_wait(world, t[1], KIND_TIME, 0, MODE_NONE, 11 * SEC)->timed = 1;
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert(finding->items[0].flags & ITEM_TIMED);
}
END_TEST

/* A pool with nothing to do, and main that waits for its end. */
START_TEST(idle_workers)
{
	static const enum kind waits[] = {
		KIND_FD, KIND_SEM, KIND_TIME, KIND_SIGNAL, KIND_BARRIER, KIND_QUEUE
	};
	for (unsigned i = 1; i < 7; i++)
		world_wait(world, t[i], waits[i - 1], A, MODE_NONE, 3600 * SEC);
	world_cond(world, t[7], B, 3600 * SEC);
	world_join(world, t[0], t[7], 3600 * SEC);
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

/* Consumers of one semaphore; one of them took the last item long ago. */
START_TEST(semaphore_of_items)
{
	world_hold(world, t[1], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	reads(t[1], 60 * SEC);
	world_wait(world, t[2], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	world_object(world, KIND_SEM, A, 0)->value = (uint32_t)_i;
	expect_none();
}
END_TEST

START_TEST(semaphore_used_as_a_lock)
{
	world_hold(world, t[1], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	reads(t[1], 60 * SEC);
	world_object(world, KIND_SEM, A, 0)->value = 1;
	expect_none(); /* nobody waits: it may as well be an event */
	world_wait(world, t[2], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->count, 1);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, t[1], 0)->object_kind, KIND_SEM);
	/* One who waits for what it took before is a consumer. */
	world_wait(world, t[1], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	expect_none();
}
END_TEST

START_TEST(stream_is_nothing_to_give_back)
{
	world_iterator(world, t[1], KIND_STREAM, 77, 60 * SEC);
	reads(t[1], 60 * SEC);
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

/* 1 reads and holds A; 2 waits for A and holds B; 3 waits for B. */
START_TEST(root_of_a_chain)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	world_mutex(world, t[2], B, 60 * SEC);
	world_wants(world, t[2], A, 40 * SEC);
	world_wants(world, t[3], B, 55 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->count, 2);
	/* The direct one first, though the other one has waited longer. */
	ck_assert_uint_eq(item_of(finding, ROLE_waits, NULL, 0)->thread, t[2]->id);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, NULL, 1)->thread, t[3]->id);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, NULL, 1)->other, t[2]->id);
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

/* 1 holds A and runs; 2 waits for it and holds B. */
START_TEST(behind_a_running_thread)
{
	world_mutex(world, t[1], A, 9 * SEC);
	t[1]->now_stack = 4711;
	t[1]->now_at = world->snapshot.now - 1;
	world->limits.blocked = 5 * SEC;
	world_mutex(world, t[2], B, 60 * SEC);
	world_wants(world, t[2], A, 8 * SEC);
	const struct finding *finding = expect_stuck(t[2]);
	ck_assert_uint_eq(finding->items[0].other, t[1]->id);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, t[1], 0)->handle, A);
	const struct finding_item *now = item_of(finding, ROLE_now, t[1], 0);
	ck_assert_uint_eq(now->stack, 4711);
	ck_assert_uint_eq(now->source, STACK_LOOKED_UP);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, t[2], 0)->handle, B);
}
END_TEST

START_TEST(holder_gets_time_to_become_the_cause)
{
	/* 2 has waited for the limit, 1 not yet: it will be the finding in a moment. */
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 9 * SEC);
	world_mutex(world, t[2], B, 60 * SEC);
	world_wants(world, t[2], A, 11 * SEC);
	expect_none();
	world_pass(world, 2 * SEC);
	expect_stuck(t[1]);
	/* But where 1 waits briefly and often, 2 is told of in the end. */
	reads(t[1], 1 * SEC);
	world_pass(world, 8 * SEC);
	expect_stuck(t[2]);
}
END_TEST

START_TEST(ring_of_timed_waits)
{
	/* 1 and 2 have crossed A and B; 2 will give up some day, so it is no deadlock. Look at 2. */
	world_mutex(world, t[1], A, 60 * SEC);
	world_wants(world, t[1], B, 50 * SEC);
	world_mutex(world, t[2], B, 60 * SEC);
	world_wants(world, t[2], A, 50 * SEC)->timed = 1;
	const struct finding *finding = expect_stuck(t[2]);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, t[1], 0)->other, t[2]->id);
	ck_assert_uint_eq(world_count(world, FINDING_deadlock), 0);
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

START_TEST(join_of_an_idle_thread)
{
	/* Main holds a lock and joins a worker that waits for work and holds nothing: main is the cause. */
	world_mutex(world, t[0], A, 60 * SEC);
	world_join(world, t[0], t[1], 50 * SEC);
	world_cond(world, t[1], B, 55 * SEC);
	expect_stuck(t[0]);
	/* Were the worker stuck with a lock itself, it would be. */
	world_mutex(world, t[1], C, 60 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_ptr_nonnull(item_of(finding, ROLE_waits, t[0], 0));
}
END_TEST

START_TEST(reader_behind_a_writer_that_holds_nothing)
{
	/* 3 holds B and is behind writer 2, who waits for reader 1: 1 reads from a socket. */
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 60 * SEC);
	reads(t[1], 50 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 45 * SEC);
	world_mutex(world, t[3], B, 60 * SEC);
	world_wait(world, t[3], KIND_RWLOCK, A, MODE_SHARED, 40 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, t[3], 0)->other, t[2]->id);
	/* Where 1 runs, 3 is as near to the cause as can be told. */
	t[1]->waiting = false;
	expect_stuck(t[3]);
}
END_TEST

START_TEST(readers_beside_it_are_not_its_waiters)
{
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 60 * SEC);
	reads(t[1], 50 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_SHARED, 0);
	ck_assert_uint_eq(expect_stuck(t[1])->count, 0);
}
END_TEST

START_TEST(no_part_in_a_torn_copy)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	world_wants(world, t[2], A, 50 * SEC);
	t[1]->torn = true;
	ck_assert_uint_eq(world_look(world), 0);
	t[1]->torn = false;
	t[2]->torn = true;
	ck_assert_uint_eq(expect_stuck(t[1])->count, 0);
	/* Who waits behind it is stuck all the same; behind whom is not known. */
	t[1]->torn = true;
	t[2]->torn = false;
	world_mutex(world, t[2], B, 60 * SEC);
	const struct finding *finding = expect_stuck(t[2]);
	ck_assert_uint_eq(finding->items[0].other, 0);
	ck_assert_ptr_null(item_of(finding, ROLE_acquired, t[1], 0));
}
END_TEST

/* A reader and a writer wait for an rwlock of which nobody is known to hold it (another process may). */
START_TEST(nobody_is_known_to_hold_it)
{
	world_mutex(world, t[1], B, 60 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 20 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 20 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->items[0].other, 0);
	ck_assert_uint_eq(finding->item_count, 2);
}
END_TEST

START_TEST(released_or_stale_holds_do_not_count)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	world_mutex(world, t[2], A, 20 * SEC);
	expect_none();
}
END_TEST

START_TEST(ended_threads_are_not_blocked)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	t[1]->state = THREAD_ENDED;
	expect_none();
}
END_TEST

START_TEST(key_follows_the_wait)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	uint64_t key = finding->key, witness = finding->witness;
	/* Waiters come and go, its slot's number moves on: still the same. */
	world_wants(world, t[2], A, 1 * SEC);
	t[1]->changes += 2;
	finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_eq(finding->witness, witness);
	t[1]->holds[0].serial += 100;
	finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_ne(finding->witness, witness);
	t[1]->wait.serial += 100;
	ck_assert_uint_ne(expect_stuck(t[1])->key, key);
}
END_TEST

START_TEST(more_waiters_than_room)
{
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	for (unsigned i = 0; i < 1000; i++)
		world_wants(world, world_thread(world), A, 20 * SEC);
	const struct finding *finding = expect_stuck(t[1]);
	ck_assert_uint_eq(finding->count, 1000);
	ck_assert_uint_eq(finding->item_count, FINDING_MAX_ITEMS);
	ck_assert_uint_eq(finding->bytes, FINDING_MAX_BYTES);
}
END_TEST

/* -- blocked: asked for by idle_blocked -------------------------------------- */

START_TEST(idle_blocked_on_request)
{
	for (unsigned i = 1; i < 5; i++)
		reads(t[i], (20 + i) * SEC)->stack = i < 4 ? 5 : 6;
	ck_assert_uint_eq(world_look(world), 0);
	world->limits.idle_blocked = 20 * SEC;
	ck_assert_uint_eq(world_look(world), 2);
	ck_assert_uint_eq(world_count(world, FINDING_blocked), 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct finding *finding = world->found.found[i];
		ck_assert_int_eq(finding->severity, SEVERITY_INFO);
		ck_assert_uint_eq(finding->count, finding->items[0].stack == 5 ? 3 : 1);
		ck_assert_uint_eq(finding->thread, finding->items[0].stack == 5 ? t[3]->id : t[4]->id);
	}
	world->limits.idle_blocked = 30 * SEC;
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

START_TEST(idle_blocked_leaves_out_who_is_told_of)
{
	world->limits.idle_blocked = 1 * SEC;
	world_mutex(world, t[1], A, 60 * SEC);
	reads(t[1], 50 * SEC);
	world_wants(world, t[2], A, 50 * SEC);
	ck_assert_uint_eq(world_look(world), 1);
	ck_assert_uint_eq(world->found.found[0]->kind, FINDING_stuck_holder);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("stuck-holder");
	TCase *tests = tcase_create("stuck-holder");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, founding_case);
	tcase_add_test(tests, not_yet);
	tcase_add_test(tests, switched_off);
	tcase_add_test(tests, lock_without_waiters);
	tcase_add_test(tests, iterator_alone);
	tcase_add_test(tests, a_sleep_counts_and_a_timeout_too);
	tcase_add_test(tests, idle_workers);
	tcase_add_loop_test(tests, semaphore_of_items, 2, 4);
	tcase_add_loop_test(tests, semaphore_of_items, 0, 1);
	tcase_add_test(tests, semaphore_used_as_a_lock);
	tcase_add_test(tests, stream_is_nothing_to_give_back);
	tcase_add_test(tests, root_of_a_chain);
	tcase_add_test(tests, behind_a_running_thread);
	tcase_add_test(tests, holder_gets_time_to_become_the_cause);
	tcase_add_test(tests, ring_of_timed_waits);
	tcase_add_test(tests, join_of_an_idle_thread);
	tcase_add_test(tests, reader_behind_a_writer_that_holds_nothing);
	tcase_add_test(tests, readers_beside_it_are_not_its_waiters);
	tcase_add_test(tests, no_part_in_a_torn_copy);
	tcase_add_test(tests, nobody_is_known_to_hold_it);
	tcase_add_test(tests, released_or_stale_holds_do_not_count);
	tcase_add_test(tests, ended_threads_are_not_blocked);
	tcase_add_test(tests, key_follows_the_wait);
	tcase_add_test(tests, more_waiters_than_room);
	tcase_add_test(tests, idle_blocked_on_request);
	tcase_add_test(tests, idle_blocked_leaves_out_who_is_told_of);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
