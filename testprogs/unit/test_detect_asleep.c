#include <check.h>

#include "world.h"

/* What only the kernel and libc's own words know: owners nobody saw, and a process that is asleep for good. */

#define A 0xa00
#define B 0xb00

static struct world *world;

static void setup(void)
{
	world = world_make();
}

static void teardown(void)
{
	world_free(world);
}

/* As the probe would have it, at `age`. */
static void fall_asleep(nsec_t age)
{
	world->snapshot.asleep_since = world->snapshot.now - age;
	world->snapshot.asleep_witness = 77;
}

static const struct finding *look(void)
{
	world_look(world);
	return world_found(world, FINDING_deadlock);
}

START_TEST(owner_by_libcs_word)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	world_mutex(world, t[0], A, 5 * SEC);
	world_wants(world, t[0], B, 2 * SEC);
	world_wants(world, t[1], A, 2 * SEC);
	ck_assert_ptr_null(look());
	t[0]->wait_owner = t[1]->id;
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert(finding->flags & FOUND_CYCLE);
	/* Where the second one took B nobody knows. */
	ck_assert_uint_eq(items_of(finding, ROLE_acquired), 1);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, t[0], 0)->other, t[1]->id);
}
END_TEST

START_TEST(a_hold_says_more_than_the_word)
{
	struct snap_thread *t[3] = { world_thread(world), world_thread(world), world_thread(world) };
	world_mutex(world, t[0], A, 5 * SEC);
	world_wants(world, t[0], B, 2 * SEC);
	world_wants(world, t[1], A, 2 * SEC);
	world_mutex(world, t[2], B, 5 * SEC);
	t[0]->wait_owner = t[1]->id;
	ck_assert_ptr_null(look());
}
END_TEST

START_TEST(owner_is_itself)
{
	struct snap_thread *t = world_thread(world);
	world_wants(world, t, A, 2 * SEC)->op = OP_pthread_mutex_lock;
	t->wait_owner = t->id;
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 1);
}
END_TEST

START_TEST(who_waits_for_an_owner_is_told)
{
	struct snap_thread *t[3] = { world_thread(world), world_thread(world), world_thread(world) };
	world_mutex(world, t[0], A, 5 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wants(world, t[0], B, 2 * SEC);
	world_wants(world, t[1], A, 2 * SEC);
	world_wants(world, t[2], 0xc00, 1 * SEC);
	t[2]->wait_owner = t[1]->id;
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_ptr_nonnull(item_of(finding, ROLE_waits, t[2], 0));
}
END_TEST

/* 0: nothing recorded of its use; 1: it was used as a lock; 2: and otherwise, too; 3: other processes have it. */
START_TEST(semaphores_as_locks)
{
	static const unsigned uses[] = { 0, OBJECT_POSTED_BY_TAKER,
					 OBJECT_POSTED_BY_TAKER | OBJECT_POSTED_BY_OTHER,
					 OBJECT_POSTED_BY_TAKER | OBJECT_SHARED };
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	for (int i = 0; i < 2; i++) {
		world_hold(world, t[i], KIND_SEM, i ? B : A, MODE_SHARED, 5 * SEC);
		world_wait(world, t[i], KIND_SEM, i ? A : B, MODE_SHARED, 2 * SEC);
		world_object(world, KIND_SEM, i ? B : A, uses[_i])->value = 1;
	}
	ck_assert_int_eq(look() != NULL, _i == 1);
	/* With everybody asleep it does not take a use to know. */
	fall_asleep(2 * SEC);
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert_int_eq(!(finding->flags & FOUND_ASLEEP), _i < 2);
	ck_assert_uint_eq(finding->count, 2);
}
END_TEST

START_TEST(semaphore_that_starts_elsewhere)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	for (int i = 0; i < 2; i++) {
		world_hold(world, t[i], KIND_SEM, i ? B : A, MODE_SHARED, 5 * SEC);
		world_wait(world, t[i], KIND_SEM, i ? A : B, MODE_SHARED, 2 * SEC);
		world_object(world, KIND_SEM, i ? B : A, OBJECT_POSTED_BY_TAKER)->value = (uint32_t)_i * 2;
	}
	ck_assert_ptr_null(look());
}
END_TEST

/* Locks on files are locks, wherever the kernel says who has them; 1: it can't tell. */
START_TEST(file_locks_crossed)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	for (int i = 0; i < 2; i++) {
		world_hold(world, t[i], KIND_FILE_LOCK, i ? B : A, MODE_EXCLUSIVE, 5 * SEC);
		world_wait(world, t[i], KIND_FILE_LOCK, i ? A : B, MODE_EXCLUSIVE, 2 * SEC);
	}
	t[1]->wait_unclear = _i;
	ck_assert_int_eq(look() != NULL, !_i);
}
END_TEST

START_TEST(file_locks_read)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	for (int i = 0; i < 2; i++) {
		world_hold(world, t[i], KIND_FILE_LOCK, i ? B : A, MODE_SHARED, 5 * SEC);
		world_wait(world, t[i], KIND_FILE_LOCK, i ? A : B, MODE_SHARED, 2 * SEC);
	}
	ck_assert_ptr_null(look());
}
END_TEST

START_TEST(all_asleep)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	world_join(world, t[0], t[1], 3 * SEC);
	world_cond(world, t[1], A, 3 * SEC);
	ck_assert_ptr_null(look());
	fall_asleep(3 * SEC);
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert(finding->flags & FOUND_ASLEEP);
	ck_assert(!(finding->flags & (FOUND_CYCLE | FOUND_NESTED_MONITOR)));
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(items_of(finding, ROLE_waits), 2);
	ck_assert_uint_eq(items_of(finding, ROLE_acquired), 0);
	ck_assert_uint_eq(finding->since, world->snapshot.now - 3 * SEC);

	/* One that has run meanwhile is another witness. */
	uint64_t key = finding->key, witness = finding->witness;
	world->snapshot.asleep_witness++;
	finding = look();
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_ne(finding->witness, witness);
}
END_TEST

START_TEST(not_asleep_for_long)
{
	struct snap_thread *t = world_thread(world);
	world_wait(world, t, KIND_SEM, A, MODE_SHARED, SEC / 5);
	fall_asleep(SEC / 5);
	ck_assert_ptr_null(look());
}
END_TEST

START_TEST(with_locks_it_takes_longer)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	world_mutex(world, t[0], A, SEC);
	world_wait(world, t[0], KIND_COND, B, MODE_NONE, SEC / 2);
	world_wants(world, t[1], A, SEC / 2);
	fall_asleep(SEC / 2);
	ck_assert_ptr_null(look());
	world_pass(world, SEC);
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert(finding->flags & FOUND_ASLEEP);
	ck_assert(finding->flags & FOUND_NESTED_MONITOR);
	ck_assert_ptr_nonnull(item_of(finding, ROLE_acquired, t[0], 0));
}
END_TEST

START_TEST(left_to_whoever_says_more)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	world->limits.blocked = SEC;
	world_mutex(world, t[0], A, 5 * SEC);
	world_wait(world, t[0], KIND_COND, B, MODE_NONE, 5 * SEC);
	world_wants(world, t[1], A, 5 * SEC);
	fall_asleep(5 * SEC);
	ck_assert_ptr_null(look());
	const struct finding *stuck = world_found(world, FINDING_stuck_holder);
	ck_assert_ptr_nonnull(stuck);
	ck_assert(stuck->flags & FOUND_NESTED_MONITOR);
	ck_assert(stuck->flags & FOUND_ASLEEP);
}
END_TEST

/* What is told of a thread that is not the only one awake says nothing of the process. */
START_TEST(a_stuck_holder_among_others_that_run)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	world->limits.blocked = SEC;
	world_mutex(world, t[0], A, 5 * SEC);
	world_wait(world, t[0], KIND_COND, B, MODE_NONE, 5 * SEC);
	world_wants(world, t[1], A, 5 * SEC);
	for (int asleep = 0; asleep < 2; asleep++) {
		if (asleep)
			fall_asleep(SEC / 2);
		ck_assert_ptr_null(look());
		const struct finding *stuck = world_found(world, FINDING_stuck_holder);
		ck_assert_ptr_nonnull(stuck);
		ck_assert(!(stuck->flags & FOUND_ASLEEP));
	}
}
END_TEST

START_TEST(a_ring_says_more)
{
	struct snap_thread *t[2] = { world_thread(world), world_thread(world) };
	world_mutex(world, t[0], A, 5 * SEC);
	world_wants(world, t[0], A, 5 * SEC);
	world_join(world, t[1], t[0], 5 * SEC);
	fall_asleep(5 * SEC);
	const struct finding *finding = look();
	ck_assert_uint_eq(world_count(world, FINDING_deadlock), 1);
	ck_assert(finding->flags & FOUND_CYCLE);
}
END_TEST

/* Whoever forked it may mean to end it: it gets the time that a stuck holder gets. */
START_TEST(a_fork_child_gets_time)
{
	struct snap_thread *t = world_thread(world);
	world->header.fork_parent = 4711;
	world_wait(world, t, KIND_SEM, A, MODE_SHARED, 5 * SEC);
	fall_asleep(5 * SEC);
	ck_assert_ptr_null(look());
	world_pass(world, 6 * SEC);
	ck_assert_ptr_nonnull(look());
}
END_TEST

/* A pool of a thousand: one of them is told of, the others are counted. */
START_TEST(many_in_one_place)
{
	struct snap_thread *main_thread = world_thread(world);
	for (int i = 0; i < 1000; i++) {
		struct snap_thread *t = world_thread(world);
		world_wait(world, t, KIND_SEM, A, MODE_SHARED, 5 * SEC)->stack = 7;
	}
	world_join(world, main_thread, &world->threads[1], 5 * SEC);
	fall_asleep(5 * SEC);
	const struct finding *finding = look();
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 1001);
	uint32_t subjects = 0;
	for (uint32_t i = 0; i < finding->item_count; i++)
		subjects += !!(finding->items[i].flags & ITEM_SUBJECT);
	ck_assert_uint_eq(subjects, 2);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("asleep");
	TCase *tests = tcase_create("asleep");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, owner_by_libcs_word);
	tcase_add_test(tests, a_hold_says_more_than_the_word);
	tcase_add_test(tests, owner_is_itself);
	tcase_add_test(tests, who_waits_for_an_owner_is_told);
	tcase_add_loop_test(tests, semaphores_as_locks, 0, 4);
	tcase_add_loop_test(tests, semaphore_that_starts_elsewhere, 0, 2);
	tcase_add_loop_test(tests, file_locks_crossed, 0, 2);
	tcase_add_test(tests, file_locks_read);
	tcase_add_test(tests, all_asleep);
	tcase_add_test(tests, not_asleep_for_long);
	tcase_add_test(tests, with_locks_it_takes_longer);
	tcase_add_test(tests, left_to_whoever_says_more);
	tcase_add_test(tests, a_stuck_holder_among_others_that_run);
	tcase_add_test(tests, a_ring_says_more);
	tcase_add_test(tests, a_fork_child_gets_time);
	tcase_add_test(tests, many_in_one_place);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
