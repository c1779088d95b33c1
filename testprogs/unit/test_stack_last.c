/*
 * What is kept of the stacks before is used again only where it is right: captured stacks against libunwind, frame by
 * frame, while the frames change in all ways.
 */
#include "testprogs/unit/stack_world.h"

static uint64_t random_state = 88172645463325252u;
static int budget;      /* frames that may still be added */
static unsigned wanted; /* visits; after that all return */

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % limit);
}

static void visit_random(void)
{
	for (uint32_t turn = random_below(3); turn < 3 && visits < wanted; turn++) {
		if (random_below(2))
			hook();
		if (budget <= 0 || !random_below(4))
			continue;
		size_t build = random_below(COUNT_OF(builds));
		uint32_t shapes = 0;
		while (shapes < SHAPES_MOST && builds[build].shapes[shapes].call)
			shapes++;
		const struct shape *shape = &builds[build].shapes[random_below(shapes)];
		if (strcmp(shape->name, "sort") == 0)
			continue; /* it can't be entered twice */
		int levels = random_below(20) ? (int)random_below(6) + 1 : 50;
		budget -= levels;
		shape->call(levels, visit_random);
		budget += levels;
	}
	hook();
}

static void run_random(unsigned depth, int frames, unsigned captures)
{
	stack_set_depth(depth);
	begin();
	wanted = captures;
	while (visits < wanted && !bad_stacks) {
		budget = frames;
		visit_random();
	}
	char what[100];
	snprintf(what, sizeof what, "random calls, depth %u, %d frames", depth, frames);
	expect_good(what);
}

/* What is kept of the last stack is joined at any frame, with frames that need the frame pointer and others. */
START_TEST(random_calls)
{
	run_random(256, 60, 20000);
	run_random(64, 150, 10000);
	run_random(16, 60, 20000);
	run_random(3, 200, 5000);
	run_random(64, 1500, 2000);
}
END_TEST

static void visit_once(void)
{
	stack_capture(__builtin_frame_address(0));
	__asm__ volatile("");
}

static NOINLINE void capture_from(int which)
{
	volatile int room[8] = { 0 };
	room[which] = 1;
	stack_capture(__builtin_frame_address(0));
	room[which] += room[0];
}

static void visit_often(void)
{
	for (int i = 0; i < 5000; i++) {
		capture_from(1);
		stack_capture(__builtin_frame_address(0));
		shapes_O0[0].call(2, visit_once);
	}
	hook();
	shapes_O0[0].call(2, visit);
}

/* Each replaces the inner frames of the one before, whose frame pointers must be forgotten with them. */
START_TEST(often_on_the_same_frames)
{
	begin();
	for (size_t b = 0; b < COUNT_OF(builds) - 1; b++)
		builds[b].shapes[3].call(5, visit_often);
	expect_whole("often");
	ck_assert_uint_le(((struct scratch *)self.scratch)->last.saved_count,
			  ((struct scratch *)self.scratch)->last.count);
}
END_TEST

static NOINLINE void in_turn(unsigned which)
{
	switch (which % 6) {
	case 0:
		hook();
		break;
	case 1:
		hook();
		__asm__ volatile("nop");
		break;
	case 2:
		visit();
		break;
	default:
		builds[which % (COUNT_OF(builds) - 1)].shapes[which % 4].call((int)(which % 3), visit);
		break;
	}
	__asm__ volatile("");
}

static NOINLINE void one_way(unsigned which)
{
	in_turn(which);
	__asm__ volatile("");
}

/* Its frame is like that of one_way: what it calls has the same stack pointer, and another caller. */
static NOINLINE void other_way(unsigned which)
{
	in_turn(which);
	__asm__ volatile("nop");
}

static unsigned turns_seed;

static void visit_in_turn(void)
{
	unsigned seed = turns_seed;
	for (int i = 0; i < 4000; i++) {
		seed = seed * 1103515245 + 12345;
		/* Mostly two or three in turn, as programs do. */
		unsigned which = seed >> 28 ? (unsigned)i % 3 : seed >> 16 & 63;
		if (seed >> 20 & 7)
			one_way(which);
		else
			other_way(which);
	}
}

/* Inner frames that were replaced are met again, under the same outer ones and under others. */
START_TEST(inner_frames_in_turn)
{
	begin();
	turns_seed = (unsigned)_i;
	for (size_t b = 0; b < COUNT_OF(builds) - 1; b++)
		builds[b].shapes[(unsigned)_i % 4].call(1 + _i, visit_in_turn);
	expect_good("in turn");
	/* Two that are exactly the same have one id, whichever way that was found. */
	stack_id ids[4];
	/* Volatile: unrolled, each would be called from a place of its own. */
	for (volatile unsigned i = 0; i < COUNT_OF(ids); i++) {
		one_way(i % 2);
		ids[i] = last_stack;
	}
	ck_assert_uint_eq(ids[0], ids[2]);
	ck_assert_uint_eq(ids[1], ids[3]);
	ck_assert_uint_ne(ids[0], ids[1]);
	/* The last one was no walk. */
	ck_assert_uint_eq(((struct scratch *)self.scratch)->last.walks, 0);
}
END_TEST

static void recurse_and_capture(int levels)
{
	volatile char room[24];
	room[0] = (char)levels;
	if (levels % 3 == 0)
		hook();
	if (levels > 0)
		recurse_and_capture(levels - 1);
	if (levels % 2 == 0)
		hook();
	room[1] = room[0];
}

/* Deeper than what is kept, and back: outer frames are dropped and must be found again. */
START_TEST(recursion_beyond_what_is_kept)
{
	static const unsigned depths[] = { 256, 64, 10, 1 };
	for (size_t i = 0; i < COUNT_OF(depths); i++) {
		stack_set_depth(depths[i]);
		begin();
		recurse_and_capture(1500);
		expect_good("deep recursion, up and down");
	}
	stack_set_depth(64);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, random_calls);
	tcase_add_test(tcase, often_on_the_same_frames);
	tcase_add_loop_test(tcase, inner_frames_in_turn, 0, 8);
	tcase_add_test(tcase, recursion_beyond_what_is_kept);
}

int main(void)
{
	return run_suite("the last stack", add_tests);
}
