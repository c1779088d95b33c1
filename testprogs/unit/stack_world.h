/*
 * What the tests of captured stacks share: a hook that compares each with libunwind's, frames of all shapes to call
 * it from, and a run of a suite in one process with a recording of its own.
 */
#ifndef TEST_STACK_WORLD_H
#define TEST_STACK_WORLD_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/scratch.h"
#include "stack/stack.h"
#include "stack/unwind.h"

#include "testprogs/unit/place.h"
#include "testprogs/unit/stack/shapes.h"

#define UNUSED __attribute__((unused))

__thread struct self_state self TLS_IE;

/* -- as a hook does ----------------------------------------------------------- */

static __thread stack_id last_stack;
static __thread unsigned bad_stacks, visits;

UNUSED static NOINLINE stack_id hook(void)
{
	bool same;
	last_stack = stack_verify(__builtin_frame_address(0), &same);
	visits++;
	if (!same || !last_stack)
		bad_stacks++;
	return last_stack;
}

UNUSED static void visit(void)
{
	hook();
	__asm__ volatile(""); /* no tail call */
}

UNUSED static const struct rec_stack *record(stack_id id)
{
	return view_stack(recording_view(), id);
}

UNUSED static void begin(void)
{
	bad_stacks = visits = 0;
}

UNUSED static void expect_good(const char *what)
{
	ck_assert_msg(visits > 0, "%s: never called", what);
	ck_assert_msg(bad_stacks == 0, "%s: %u of %u stacks differ from libunwind's", what, bad_stacks,
		      visits);
}

UNUSED static void expect_whole(const char *what)
{
	expect_good(what);
	const struct rec_stack *stack = record(last_stack);
	ck_assert_ptr_nonnull(stack);
	ck_assert_msg(!(stack->flags & STACK_TRUNCATED), "%s: truncated after %u frames", what, stack->count);
}

/* -- shapes ------------------------------------------------------------------- */

static const struct {
	const char *name;
	const struct shape *shapes;
} builds[] = {
	{ "-O0", shapes_O0 },
	{ "-O2", shapes_O2 },
	{ "-O3 -mavx2", shapes_O3 },
	{ "-Os", shapes_Os },
	{ "frame pointers", shapes_pointer },
	{ "clang -O0", shapes_clang_O0 },
	{ "clang -O2", shapes_clang_O2 },
	{ "C++", shapes_cxx },
};

/* Return: the exit status. */
static int run_suite(const char *name, void (*add_tests)(TCase *tcase))
{
	if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
		printf("libunwind tests memory with system calls that valgrind takes for errors\n");
		return 77;
	}
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create("capture");
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	add_tests(tcase);
	recording_configure(place_make("test_stack"), NULL);
	SRunner *runner = srunner_create(suite);
	/* In one process: its recording is the parent's too. */
	srunner_set_fork_status(runner, CK_NOFORK);
	if (recording_open() != 0)
		return 1;
	if (stack_verify_init(0) != 0) {
		printf("libunwind.so.8 is not installed\n");
		return 77;
	}
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	recording_unlink();
	place_remove();
	return failed ? 1 : 0;
}

#endif
