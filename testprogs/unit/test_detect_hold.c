#include <check.h>

#include "world_threads.h"

#define A 0xa00
#define B 0xb00

static const struct finding *expect_long(const struct snap_thread *thread)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_long_hold), 1);
	const struct finding *finding = world_found(world, FINDING_long_hold);
	ck_assert_uint_eq(finding->thread, thread->id);
	return finding;
}

static void expect_none(void)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_long_hold), 0);
}

/* 1 runs with A held; 2 and 3 wait for it. */
static void make_scan(void)
{
	world_mutex(world, t[1], A, 11 * SEC);
	world_wants(world, t[2], A, 1 * SEC);
	world_wants(world, t[3], A, 2 * SEC);
}

START_TEST(held_over_a_scan)
{
	make_scan();
	const struct finding *finding = expect_long(t[1]);
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	ck_assert_uint_eq(finding->since, t[1]->holds[0].since);
	ck_assert_uint_eq(finding->limit, 10 * SEC);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(finding->item_count, 4);
	ck_assert_uint_eq(finding->items[0].role, ROLE_acquired);
	ck_assert(finding->items[0].flags & ITEM_SUBJECT);
	ck_assert_uint_eq(finding->items[1].role, ROLE_now);
	ck_assert_uint_eq(finding->items[1].source, STACK_UNKNOWN_RUNNING);
	ck_assert_uint_eq(finding->items[1].stack, 0);
	ck_assert_uint_eq(finding->items[2].thread, t[3]->id);
	ck_assert_uint_eq(finding->items[3].thread, t[2]->id);
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

START_TEST(where_the_holder_is_now)
{
	make_scan();
	t[1]->now_stack = 4711;
	t[1]->now_at = 5;
	const struct finding_item *now = item_of(expect_long(t[1]), ROLE_now, t[1], 0);
	ck_assert_uint_eq(now->source, STACK_LOOKED_UP);
	ck_assert_uint_eq(now->stack, 4711);
	ck_assert_uint_eq(now->since, 5);
	/* Where it waits, its wait's stack is where it is. */
	world_wait(world, t[1], KIND_TIME, 0, MODE_NONE, 1 * SEC);
	now = item_of(expect_long(t[1]), ROLE_now, t[1], 0);
	ck_assert_uint_eq(now->source, STACK_RECORDED);
	ck_assert_uint_eq(now->stack, t[1]->wait.stack);
}
END_TEST

START_TEST(limits)
{
	make_scan();
	world->limits.held = 11 * SEC + 1;
	expect_none();
	world->limits.held = 11 * SEC;
	expect_long(t[1]);
	world->limits.held = 0;
	expect_none();
}
END_TEST

START_TEST(nobody_waits)
{
	world_mutex(world, t[1], A, 3600 * SEC);
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

START_TEST(parked)
{
	world_cond(world, t[1], A, 3600 * SEC);
	world_wants(world, t[2], A, 1 * SEC);
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

START_TEST(unknown_age)
{
	make_scan();
	t[1]->holds[0].since = 0;
	expect_none();
}
END_TEST

START_TEST(semaphores_are_not_held)
{
	world_hold(world, t[1], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	world_wait(world, t[2], KIND_SEM, A, MODE_EXCLUSIVE, 60 * SEC);
	world_object(world, KIND_SEM, A, 0)->value = 1;
	expect_none();
}
END_TEST

START_TEST(stuck_holder_says_it_already)
{
	make_scan();
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 10 * SEC);
	expect_none();
	ck_assert_uint_eq(world_count(world, FINDING_stuck_holder), 1);
	/* Blocked only since a moment ago, it is a long hold still. */
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 1 * SEC);
	expect_long(t[1]);
}
END_TEST

START_TEST(deadlock_says_it_already)
{
	make_scan();
	world_mutex(world, t[4], B, 60 * SEC);
	world_wants(world, t[4], A, 60 * SEC);
	world_wants(world, t[1], B, 5 * SEC);
	world_wants(world, t[5], B, 5 * SEC);
	world_look(world);
	ck_assert_uint_eq(world->found.count, 1);
	ck_assert_uint_eq(world->found.found[0]->kind, FINDING_deadlock);
}
END_TEST

/* 2 has held B for long too, but only because it waits for A. */
START_TEST(what_is_held_meanwhile)
{
	make_scan();
	world_mutex(world, t[2], B, 30 * SEC);
	world_wants(world, t[4], B, 1 * SEC);
	const struct finding *finding = expect_long(t[1]);
	ck_assert_uint_eq(finding->count, 3);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, t[4], 0)->other, t[2]->id);
	/* Had 1 taken A a moment ago, it would be 2's own doing. */
	t[1]->holds[0].since = world->snapshot.now - 1 * SEC;
	expect_long(t[2]);
}
END_TEST

START_TEST(readers_of_one_lock)
{
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 12 * SEC);
	world_hold(world, t[2], KIND_RWLOCK, A, MODE_SHARED, 20 * SEC);
	world_hold(world, t[3], KIND_RWLOCK, A, MODE_SHARED, 1 * SEC);
	world_wait(world, t[4], KIND_RWLOCK, A, MODE_EXCLUSIVE, 3 * SEC);
	const struct finding *finding = expect_long(t[2]);
	ck_assert(finding->flags & FOUND_STARVED_WRITER);
	ck_assert_uint_eq(items_of(finding, ROLE_acquired), 2);
	ck_assert_uint_eq(items_of(finding, ROLE_now), 2);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, NULL, 0)->thread, t[2]->id);
	ck_assert_uint_eq(finding->count, 1);
	/* A reader who waits is kept out by no reader. */
	t[4]->wait.mode = MODE_SHARED;
	t[4]->wait.since = world->snapshot.now;
	expect_none();
}
END_TEST

START_TEST(key_follows_the_hold)
{
	make_scan();
	uint64_t key = expect_long(t[1])->key;
	t[2]->waiting = false;
	ck_assert_uint_eq(expect_long(t[1])->key, key);
	t[1]->holds[0].serial++;
	ck_assert_uint_ne(expect_long(t[1])->key, key);
}
END_TEST

START_TEST(torn_holder)
{
	make_scan();
	t[1]->torn = true;
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

/* -- iterator-open ----------------------------------------------------------- */

static const struct finding *expect_open(const struct snap_thread *thread)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_iterator_open), 1);
	const struct finding *finding = world_found(world, FINDING_iterator_open);
	ck_assert_uint_eq(finding->thread, thread->id);
	return finding;
}

START_TEST(iterators_by_place)
{
	world_iterator(world, t[1], KIND_ITERATOR, 77, 11 * SEC);
	world_iterator(world, t[2], KIND_ITERATOR, 77, 30 * SEC)->container = B;
	world_iterator(world, t[3], KIND_ITERATOR, 77, 9 * SEC);
	world_iterator(world, t[3], KIND_STREAM, 77, 60 * SEC);
	const struct finding *finding = expect_open(t[2]);
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(finding->since, world->snapshot.now - 30 * SEC);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[0].role, ROLE_opened);
	ck_assert_uint_eq(finding->items[0].count, 2);
	ck_assert_uint_eq(finding->items[0].stack, 77);
	ck_assert_uint_eq(finding->items[1].role, ROLE_now);
	uint64_t key = finding->key, witness = finding->witness;
	/* The oldest is closed: the place is the same, but it has moved. */
	world->resources[1] = world->resources[--world->snapshot.resource_count];
	finding = expect_open(t[1]);
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_ne(finding->witness, witness);
}
END_TEST

START_TEST(iterators_of_several_places)
{
	world_iterator(world, t[1], KIND_ITERATOR, 77, 11 * SEC);
	world_iterator(world, t[1], KIND_ITERATOR, 78, 12 * SEC);
	world_iterator(world, t[1], KIND_DIRECTORY, 77, 13 * SEC);
	/* Two without a stack may come from anywhere. */
	world_iterator(world, t[1], KIND_ITERATOR, 0, 14 * SEC);
	world_iterator(world, t[1], KIND_ITERATOR, 0, 15 * SEC);
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_iterator_open), 5);
	/* The oldest first. */
	ck_assert_uint_eq(world->found.found[0]->since, world->snapshot.now - 15 * SEC);
	ck_assert_uint_eq(world->found.found[4]->since, world->snapshot.now - 11 * SEC);
}
END_TEST

START_TEST(iterator_limits)
{
	world_iterator(world, t[1], KIND_ITERATOR, 77, 10 * SEC);
	expect_open(t[1]);
	world->limits.iterating = 10 * SEC + 1;
	ck_assert_uint_eq(world_look(world), 0);
	world->limits.iterating = 0;
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

START_TEST(iterator_of_one_who_is_gone)
{
	world_iterator(world, t[1], KIND_ITERATOR, 77, 10 * SEC)->owner = 12345;
	world_look(world);
	ck_assert_uint_eq(world->found.count, 1);
	ck_assert_uint_eq(world->found.found[0]->item_count, 1);
	ck_assert_uint_eq(world->found.found[0]->thread, 12345);
}
END_TEST

START_TEST(iterator_in_a_deadlock)
{
	world_iterator(world, t[1], KIND_ITERATOR, 77, 60 * SEC);
	world_mutex(world, t[1], A, 60 * SEC);
	world_wants(world, t[1], A, 60 * SEC);
	world_look(world);
	ck_assert_uint_eq(world->found.count, 1);
	ck_assert_uint_eq(world->found.found[0]->kind, FINDING_deadlock);
}
END_TEST

/* -- pools ---------------------------------------------------------------------- */

#define POOL 0xb0

/* Three entries of the pool: two from one place, which thread 1 and one who is gone have, and one of thread 3's. */
static void take_all(void)
{
	world_iterator(world, t[1], KIND_RESOURCE, 77, 20 * SEC)->container = POOL;
	struct rec_hold *of_one_gone = world_iterator(world, t[1], KIND_RESOURCE, 77, 40 * SEC);
	of_one_gone->container = POOL;
	of_one_gone->owner = 12345;
	world_iterator(world, t[3], KIND_RESOURCE, 78, 30 * SEC)->container = POOL;
}

static const struct finding *expect_dry(uint32_t places)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_iterator_open), places);
	return world_found(world, FINDING_iterator_open);
}

START_TEST(a_dry_pool_by_place_with_who_waits_for_it)
{
	take_all();
	world_wait(world, t[2], KIND_WAIT, POOL, MODE_NONE, 15 * SEC);
	const struct finding *finding = expect_dry(2);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(finding->thread, 12345);
	ck_assert_uint_eq(finding->since, world->snapshot.now - 40 * SEC);
	ck_assert_uint_eq(finding->limit, world->limits.held);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[0].role, ROLE_opened);
	ck_assert_uint_eq(finding->items[0].count, 2);
	ck_assert_uint_eq(finding->items[1].role, ROLE_waits);
	ck_assert_uint_eq(finding->items[1].thread, t[2]->id);
}
END_TEST

START_TEST(nobody_is_told_of_a_pool_that_nobody_waits_for)
{
	take_all();
	expect_dry(0);
	/* For another pool, and for a mutex that lies where the pool does. */
	world_wait(world, t[2], KIND_WAIT, POOL + 8, MODE_NONE, 15 * SEC);
	expect_dry(0);
	t[2]->wait.kind = KIND_MUTEX;
	t[2]->wait.handle = POOL;
	expect_dry(0);
}
END_TEST

START_TEST(a_pool_is_dry_once_both_have_lasted)
{
	world_iterator(world, t[1], KIND_RESOURCE, 77, 20 * SEC)->container = POOL;
	world_wait(world, t[2], KIND_WAIT, POOL, MODE_NONE, 15 * SEC);
	world->limits.held = 15 * SEC;
	expect_dry(1);
	world->limits.held = 15 * SEC + 1; /* the wait is younger */
	expect_dry(0);
	world->limits.held = 15 * SEC;
	world->resources[0].since = world->snapshot.now - 14 * SEC; /* so is the entry */
	expect_dry(0);
	world->resources[0].since = world->snapshot.now - 20 * SEC;
	world->limits.held = 0;
	expect_dry(0);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("holds");
	TCase *tests = tcase_create("holds");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, held_over_a_scan);
	tcase_add_test(tests, where_the_holder_is_now);
	tcase_add_test(tests, limits);
	tcase_add_test(tests, nobody_waits);
	tcase_add_test(tests, parked);
	tcase_add_test(tests, unknown_age);
	tcase_add_test(tests, semaphores_are_not_held);
	tcase_add_test(tests, stuck_holder_says_it_already);
	tcase_add_test(tests, deadlock_says_it_already);
	tcase_add_test(tests, what_is_held_meanwhile);
	tcase_add_test(tests, readers_of_one_lock);
	tcase_add_test(tests, key_follows_the_hold);
	tcase_add_test(tests, torn_holder);
	tcase_add_test(tests, iterators_by_place);
	tcase_add_test(tests, iterators_of_several_places);
	tcase_add_test(tests, iterator_limits);
	tcase_add_test(tests, iterator_of_one_who_is_gone);
	tcase_add_test(tests, iterator_in_a_deadlock);
	tcase_add_test(tests, a_dry_pool_by_place_with_who_waits_for_it);
	tcase_add_test(tests, nobody_is_told_of_a_pool_that_nobody_waits_for);
	tcase_add_test(tests, a_pool_is_dry_once_both_have_lasted);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
