/*
 * What the tests of captured stacks share: a hook that compares each with libunwind's, and frames of all shapes to call
 * it from.
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

#include "testprogs/unit/stack/shapes.h"
#include "testprogs/unit/stack_suite.h"

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
	return stack_suite_run(&(struct stack_suite){
	    .name = name,
	    .not_in_valgrind = "libunwind tests memory with system calls that valgrind takes for errors",
	    .prepare = load_libunwind,
	    .add_tests = add_tests,
	});
}

#endif
