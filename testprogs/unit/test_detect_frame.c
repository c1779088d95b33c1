#include <check.h>

#include "world_threads.h"

/* A thread's stack, of which the lower half has been left. */
#define LOW 0x7f0000100000
#define SP 0x7f0000180000
#define HIGH 0x7f0000200000
#define LEFT (SP - 0x1000)
#define LIVE_FRAME (SP + 0x1000)
#define ROOT 0x7f0000001234

/* The table of stacks, with one in it. */
static _Alignas(64) uint64_t stacks[32];

#define STACK_ID 8u

/* Stands still on a stack that goes back to `root`. */
static void stands_on(struct snap_thread *thread, uint64_t root)
{
	struct rec_stack *stack = (struct rec_stack *)&stacks[STACK_ID];
	stack->count = 2;
	stack->frames[0] = ROOT + 0x100;
	stack->frames[1] = root;
	world->view.tables[REC_STACKS] = stacks;
	world->header.tables[REC_STACKS].used = sizeof stacks;
	world->header.thread_roots[0] = ROOT;
	world->snapshot.stack_locks_known = true;
	thread->stack_low = LOW;
	thread->stack_high = HIGH;
	struct rec_wait *wait = world_wait(world, thread, KIND_TIME, 0, MODE_NONE, 1 * SEC);
	wait->stack = STACK_ID;
	wait->sp = SP;
}

static void stands(struct snap_thread *thread)
{
	stands_on(thread, ROOT);
}

static void expect(uint32_t count)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_destroyed_in_use), count);
}

START_TEST(held_in_a_left_frame)
{
	world_mutex(world, t[1], LEFT, 2 * SEC);
	stands(t[1]);
	expect(1);
	const struct finding *finding = world_found(world, FINDING_destroyed_in_use);
	ck_assert_ptr_nonnull(item_of(finding, ROLE_acquired, t[1], 0));
	ck_assert_ptr_nonnull(item_of(finding, ROLE_now, t[1], 0));
}
END_TEST

START_TEST(held_in_a_live_frame)
{
	world_mutex(world, t[1], LIVE_FRAME, 2 * SEC);
	stands(t[1]);
	expect(0);
}
END_TEST

START_TEST(taken_while_it_stands)
{
	/* By a handler that interrupted it. */
	stands(t[1]);
	world_mutex(world, t[1], LEFT, 0);
	expect(0);
}
END_TEST

START_TEST(words_unasked)
{
	world_mutex(world, t[1], LEFT, 2 * SEC);
	stands(t[1]);
	world->snapshot.stack_locks_known = false;
	expect(0);
}
END_TEST

START_TEST(handlers_run_on_a_piece_of_it)
{
	world_mutex(world, t[1], LEFT, 2 * SEC);
	stands(t[1]);
	t[1]->flags |= THREAD_STACK_SPLIT;
	expect(0);
}
END_TEST

START_TEST(on_another_stack)
{
	/* A coroutine's: it does not go back to the thread's first frame. */
	world_mutex(world, t[1], LEFT, 2 * SEC);
	stands_on(t[1], ROOT + 0x200);
	expect(0);
}
END_TEST

START_TEST(held_by_another)
{
	world_mutex(world, t[2], LEFT, 2 * SEC);
	stands(t[1]);
	expect(0);
	t[1]->kernel_sp = SP - 0x100;
	expect(1);
	ck_assert_ptr_nonnull(item_of(world_found(world, FINDING_destroyed_in_use), ROLE_acquired, t[2], 0));
	/* There may be a handler in between. */
	t[1]->kernel_sp = SP - 0x2000;
	expect(0);
}
END_TEST

START_TEST(on_the_stack_of_an_ended_thread)
{
	world_mutex(world, t[2], LIVE_FRAME, 2 * SEC);
	stands(t[1]);
	t[1]->waiting = false;
	t[1]->state = THREAD_ENDED;
	t[1]->ended = world->snapshot.now - 1 * SEC;
	expect(1);
	t[1]->flags |= THREAD_JOINED;
	expect(0);
}
END_TEST

START_TEST(waited_for_as_well)
{
	/* Told of by who waits. */
	world_mutex(world, t[1], LEFT, 2 * SEC);
	stands(t[1]);
	world_wants(world, t[2], LEFT, 2 * SEC);
	expect(1);
	ck_assert_ptr_nonnull(item_of(world_found(world, FINDING_destroyed_in_use), ROLE_waits, t[2], 0));
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("frames");
	TCase *tests = tcase_create("frames");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, held_in_a_left_frame);
	tcase_add_test(tests, held_in_a_live_frame);
	tcase_add_test(tests, taken_while_it_stands);
	tcase_add_test(tests, words_unasked);
	tcase_add_test(tests, handlers_run_on_a_piece_of_it);
	tcase_add_test(tests, on_another_stack);
	tcase_add_test(tests, held_by_another);
	tcase_add_test(tests, on_the_stack_of_an_ended_thread);
	tcase_add_test(tests, waited_for_as_well);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
