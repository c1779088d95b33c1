#include <check.h>

#include "world_threads.h"

#define COND 0xc00
#define A 0xa00
#define B 0xb00

static struct rec_wait *sleeps(struct snap_thread *thread, uint64_t mutex, nsec_t age)
{
	struct rec_wait *wait = world_cond(world, thread, mutex, age);
	wait->handle = COND;
	return wait;
}

static struct rec_wait *destroys(struct snap_thread *thread, nsec_t age)
{
	struct rec_wait *wait = world_wait(world, thread, KIND_COND, COND, MODE_NONE, age);
	wait->op = OP_pthread_cond_destroy;
	return wait;
}

static void expect_none(void)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_cond_misuse), 0);
	ck_assert_uint_eq(world_count(world, FINDING_destroyed_in_use), 0);
}

START_TEST(two_mutexes)
{
	sleeps(t[1], A, 3 * SEC);
	sleeps(t[2], B, 2 * SEC);
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_cond_misuse), 1);
	const struct finding *finding = world_found(world, FINDING_cond_misuse);
	ck_assert_uint_eq(finding->thread, t[2]->id);
	ck_assert_uint_eq(finding->item_count, 3);
	ck_assert_uint_eq(finding->items[0].handle, COND);
	ck_assert_uint_eq(finding->items[1].handle, B);
	ck_assert_uint_eq(finding->items[1].thread, 0);
	ck_assert_uint_eq(finding->items[2].handle, A);
	ck_assert_uint_eq(finding->items[2].thread, t[1]->id);
}
END_TEST

START_TEST(one_mutex)
{
	sleeps(t[1], A, 3 * SEC);
	sleeps(t[2], A, 2 * SEC);
	expect_none();
}
END_TEST

START_TEST(perhaps_woken)
{
	/* It may wait for its mutex, which somebody has. */
	sleeps(t[1], A, 3 * SEC);
	sleeps(t[2], B, 2 * SEC);
	world_mutex(world, t[3], A, 2 * SEC);
	expect_none();
}
END_TEST

START_TEST(just_come)
{
	sleeps(t[1], A, 3 * SEC);
	sleeps(t[2], B, SEC / 2);
	expect_none();
}
END_TEST

START_TEST(other_condition)
{
	sleeps(t[1], A, 3 * SEC);
	sleeps(t[2], B, 2 * SEC)->handle = COND + 48;
	expect_none();
}
END_TEST

START_TEST(destroyed)
{
	sleeps(t[1], A, 3 * SEC);
	destroys(t[2], 2 * SEC);
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_destroyed_in_use), 1);
	const struct finding *finding = world_found(world, FINDING_destroyed_in_use);
	ck_assert_uint_eq(finding->thread, t[2]->id);
	ck_assert_uint_eq(finding->items[0].role, ROLE_destroyed);
	ck_assert_uint_eq(finding->items[1].role, ROLE_waits);
	ck_assert_uint_eq(finding->items[1].thread, t[1]->id);
}
END_TEST

START_TEST(nobody_sleeps)
{
	destroys(t[1], 3 * SEC);
	destroys(t[2], 2 * SEC);
	expect_none();
}
END_TEST

START_TEST(surely_asleep)
{
	/* The kernel has both in the condition: nobody has woken either, however short they wait, whoever has a mutex. */
	sleeps(t[1], A, 2 * MS);
	sleeps(t[2], B, 1 * MS);
	world_mutex(world, t[3], A, 2 * SEC);
	t[1]->wait_asleep = true;
	expect_none();
	t[2]->wait_asleep = true;
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_cond_misuse), 1);
}
END_TEST

START_TEST(surely_destroyed)
{
	sleeps(t[1], A, 2 * MS);
	destroys(t[2], 1 * MS);
	t[1]->wait_asleep = true;
	expect_none();
	t[2]->wait_asleep = true;
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_destroyed_in_use), 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("conditions");
	TCase *tests = tcase_create("conditions");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, two_mutexes);
	tcase_add_test(tests, one_mutex);
	tcase_add_test(tests, perhaps_woken);
	tcase_add_test(tests, just_come);
	tcase_add_test(tests, other_condition);
	tcase_add_test(tests, destroyed);
	tcase_add_test(tests, nobody_sleeps);
	tcase_add_test(tests, surely_asleep);
	tcase_add_test(tests, surely_destroyed);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
