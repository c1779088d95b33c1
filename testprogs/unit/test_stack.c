/*
 * Captured stacks against libunwind, frame by frame, over frames of all shapes and on
 * all kinds of stacks.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/scratch.h"
#include "stack/stack.h"
#include "stack/unwind.h"

#include "testprogs/unit/place.h"
#include "testprogs/unit/stack/shapes.h"

__thread struct self_state self TLS_IE;

/* -- as a hook does ----------------------------------------------------------- */

static __thread stack_id last_stack;
static __thread unsigned bad_stacks, visits;

static NOINLINE stack_id hook(void)
{
	bool same;
	last_stack = stack_verify(__builtin_frame_address(0), &same);
	visits++;
	if (!same || !last_stack)
		bad_stacks++;
	return last_stack;
}

static void visit(void)
{
	hook();
	__asm__ volatile(""); /* no tail call */
}

static const struct rec_stack *record(stack_id id)
{
	return view_stack(recording_view(), id);
}

static void begin(void)
{
	bad_stacks = visits = 0;
}

static void expect_good(const char *what)
{
	ck_assert_msg(visits > 0, "%s: never called", what);
	ck_assert_msg(bad_stacks == 0, "%s: %u of %u stacks differ from libunwind's", what, bad_stacks,
		      visits);
}

static void expect_whole(const char *what)
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

static void run_shapes(void)
{
	static const int levels[] = { 1, 2, 3, 7, 20 };
	for (size_t b = 0; b < COUNT_OF(builds); b++) {
		for (const struct shape *shape = builds[b].shapes;
		     shape < builds[b].shapes + SHAPES_MOST && shape->call; shape++) {
			for (size_t i = 0; i < COUNT_OF(levels); i++) {
				char what[100];
				snprintf(what, sizeof what, "%s, %s, %d levels", builds[b].name, shape->name,
					 levels[i]);
				begin();
				shape->call(levels[i], visit);
				expect_whole(what);
				begin(); /* now with rules, and the stack, known */
				shape->call(levels[i], visit);
				expect_whole(what);
			}
		}
	}
}

START_TEST(shapes_are_as_libunwind_sees_them)
{
	stack_set_depth(256);
	run_shapes();
}
END_TEST

/* -- random trees of calls ------------------------------------------------------ */

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

START_TEST(equal_stacks_have_one_id)
{
	stack_id ids[3];
	for (int i = 0; i < 3; i++) {
		shapes_O2[0].call(5, visit);
		ids[i] = last_stack;
	}
	ck_assert_uint_ne(ids[0], 0);
	ck_assert_uint_eq(ids[0], ids[1]);
	ck_assert_uint_eq(ids[1], ids[2]);
	shapes_O2[0].call(6, visit);
	ck_assert_uint_ne(ids[0], last_stack);
}
END_TEST

START_TEST(deep_recursion_is_cut_at_the_depth)
{
	stack_set_depth(64);
	begin();
	shapes_O2[1].call(3000, visit);
	expect_good("3000 levels");
	const struct rec_stack *stack = record(last_stack);
	ck_assert_uint_eq(stack->count, 64);
	ck_assert(stack->flags & STACK_TRUNCATED);
	stack_set_depth(1);
	shapes_O2[1].call(30, visit);
	ck_assert_uint_eq(record(last_stack)->count, 1);
	stack_set_depth(64);
}
END_TEST

START_TEST(first_frame_is_the_caller)
{
	stack_id here = hook();
	const struct rec_stack *stack = record(here);
	Dl_info info;
	ck_assert(stack->count >= 3);
	ck_assert_int_ne(dladdr((void *)stack->frames[0], &info), 0);
	uint64_t off = stack->frames[0] - (uintptr_t)first_frame_is_the_caller_fn;
	ck_assert_uint_lt(off, 4096);
}
END_TEST

/* -- signals ------------------------------------------------------------------ */

static void on_signal(int signal)
{
	(void)signal;
	visit();
}

static void raise_it(void)
{
	raise(SIGUSR1);
	__asm__ volatile("");
}

static void fault(void)
{
	__asm__ volatile("movl $1, 8" ::: "memory");
}

static sigjmp_buf fault_back;

static void on_fault(int signal)
{
	(void)signal;
	visit();
	siglongjmp(fault_back, 1);
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	ck_assert_int_eq(sigaction(signal, &action, NULL), 0);
}

START_TEST(signal_handlers)
{
	handle(SIGUSR1, on_signal, SA_RESTART);
	for (size_t b = 0; b < 7; b++) {
		begin();
		builds[b].shapes[1].call(5, raise_it);
		expect_whole("handler on the same stack");
	}
}
END_TEST

START_TEST(signal_handlers_on_their_own_stack)
{
	stack_t alternate = { .ss_size = 65536, .ss_sp = malloc(65536) };
	ck_assert_int_eq(sigaltstack(&alternate, NULL), 0);
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	for (size_t b = 0; b < 7; b++) {
		begin();
		builds[b].shapes[0].call(9, raise_it);
		expect_whole("handler on its own stack");
	}
	handle(SIGSEGV, on_fault, SA_ONSTACK | SA_NODEFER);
	begin();
	if (sigsetjmp(fault_back, 1) == 0)
		shapes_O2[1].call(6, fault);
	expect_whole("handler of a fault");
	handle(SIGSEGV, SIG_DFL, 0);
	alternate.ss_flags = SS_DISABLE;
	sigaltstack(&alternate, NULL);
	free(alternate.ss_sp);
}
END_TEST

static volatile sig_atomic_t ticks;
static timer_t ticker;

static void tick_in(long ns)
{
	struct itimerspec once = { .it_value.tv_nsec = ns };
	timer_settime(ticker, 0, &once, NULL);
}

static void tick_make(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF };
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &ticker), 0);
}

static void on_tick(int signal)
{
	(void)signal;
	ticks++;
	if (!self.busy) /* as hooks do */
		visit();
	tick_in(20000 + ticks % 64 * 500);
}

/* Interrupts captures at any instruction: the handler's own stacks are right, and so are those that go on. */
START_TEST(captures_interrupted_by_captures)
{
	handle(SIGPROF, on_tick, SA_RESTART);
	tick_make();
	ticks = 0;
	begin();
	tick_in(20000);
	for (int round = 0; round < 200 || (ticks < 300 && round < 20000); round++) {
		shapes_O2[round % 12].call(round % 9 + 1, visit);
		shapes_O0[round % 12].call(round % 5 + 1, visit);
	}
	timer_delete(ticker);
	handle(SIGPROF, SIG_IGN, 0);
	ck_assert_int_ge(ticks, 100);
	expect_good("interrupted");
	ck_assert_uint_eq(self.scratch_busy, 0);
}
END_TEST

static sigjmp_buf out;
static volatile int jumps;

static void on_jump(int signal)
{
	(void)signal;
	if (!self.busy)
		visit();
	jumps++;
	self.busy = 0;
	siglongjmp(out, 1);
}

/* A handler that leaves by longjmp may leave a capture unfinished below it: its room must come back. */
START_TEST(captures_left_by_longjmp)
{
	handle(SIGPROF, on_jump, 0);
	tick_make();
	jumps = 0;
	for (int round = 0; round < 300; round++) {
		if (sigsetjmp(out, 1))
			continue;
		tick_in(10000 + round * 100);
		for (;;)
			if (!stack_capture(__builtin_frame_address(0)))
				break;
		ck_abort_msg("no room for a capture after %d jumps", jumps);
	}
	timer_delete(ticker);
	handle(SIGPROF, SIG_IGN, 0);
	ck_assert_int_eq(jumps, 300);
	begin();
	visit();
	expect_good("after jumps");
}
END_TEST

/* -- other stacks ------------------------------------------------------------- */

static void *run_on_thread(void *data)
{
	begin();
	builds[(size_t)(uintptr_t)data % 7].shapes[0].call(6, visit);
	builds[(size_t)(uintptr_t)data % 7].shapes[1].call(6, visit);
	void *result =
	    bad_stacks || !visits || (record(last_stack)->flags & STACK_TRUNCATED) ? (void *)1 : NULL;
	stack_thread_end();
	return result;
}

START_TEST(threads)
{
	for (uintptr_t i = 0; i < 20; i++) {
		pthread_t thread;
		void *result;
		ck_assert_int_eq(pthread_create(&thread, NULL, run_on_thread, (void *)i), 0);
		pthread_join(thread, &result);
		ck_assert_ptr_null(result);
	}
}
END_TEST

#define SHARED_LEVELS 40
static stack_id shared_ids[4][9][SHARED_LEVELS];
static __thread unsigned shared_thread;
static pthread_barrier_t together;

static void capture_alone(void)
{
	last_stack = stack_capture(__builtin_frame_address(0));
	__asm__ volatile("");
}

static void *capture_many(void *data)
{
	shared_thread = (unsigned)(uintptr_t)data;
	for (int level = 0; level < SHARED_LEVELS; level++) {
		pthread_barrier_wait(&together);
		for (int shape = 0; shape < 9; shape++) {
			shapes_O2[shape].call(level + 1, capture_alone);
			shared_ids[shared_thread][shape][level] = last_stack;
		}
	}
	stack_thread_end();
	return NULL;
}

/* Threads that find the same stack at the same time get the same id for it. */
START_TEST(threads_share_ids)
{
	pthread_t others[4];
	stack_set_depth(256);
	pthread_barrier_init(&together, NULL, COUNT_OF(others));
	for (uintptr_t i = 0; i < COUNT_OF(others); i++)
		pthread_create(&others[i], NULL, capture_many, (void *)i);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		pthread_join(others[i], NULL);
	pthread_barrier_destroy(&together);
	for (int shape = 0; shape < 9; shape++)
		for (int level = 0; level < SHARED_LEVELS; level++)
			for (size_t i = 0; i < COUNT_OF(others); i++) {
				ck_assert_uint_ne(shared_ids[i][shape][level], 0);
				ck_assert_uint_eq(shared_ids[i][shape][level], shared_ids[0][shape][level]);
			}
	stack_set_depth(64);
}
END_TEST

static void *capture_on_small_stack(void *data)
{
	(void)data;
	for (int i = 0; i < 3; i++)
		last_stack = stack_capture(__builtin_frame_address(0));
	stack_id id = last_stack;
	stack_thread_end();
	return (void *)(uintptr_t)id;
}

/* 16 KiB are the least that a thread can have; libunwind alone would need more than is left of it. */
START_TEST(small_stacks)
{
	pthread_attr_t small;
	pthread_attr_init(&small);
	ck_assert_int_eq(pthread_attr_setstacksize(&small, 16384), 0);
	pthread_t thread;
	void *id;
	ck_assert_int_eq(pthread_create(&thread, &small, capture_on_small_stack, NULL), 0);
	pthread_join(thread, &id);
	const struct rec_stack *stack = record((stack_id)(uintptr_t)id);
	ck_assert_ptr_nonnull(stack);
	ck_assert(!(stack->flags & STACK_TRUNCATED));

	/* A stack that the program brought, with nothing around it. */
	void *room = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_int_eq(pthread_attr_setstack(&small, room, 65536), 0);
	ck_assert_int_eq(pthread_create(&thread, &small, run_on_thread, (void *)1), 0);
	pthread_join(thread, &id);
	ck_assert_ptr_null(id);
	munmap(room, 65536);
	pthread_attr_destroy(&small);
}
END_TEST

static ucontext_t scheduler, coroutine;

static void coroutine_body(void)
{
	shapes_O2[1].call(4, visit);
	swapcontext(&coroutine, &scheduler);
	shapes_O0[0].call(4, visit);
}

START_TEST(coroutines)
{
	for (int round = 0; round < 50; round++) {
		/* Mapped anew each time, with guards: what was true of an earlier stack must not be believed of this one. */
		char *area = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t pages = round % 2 ? 4 : 6;
		ck_assert_int_eq(mprotect(area + 4096, pages * 4096, PROT_READ | PROT_WRITE), 0);
		getcontext(&coroutine);
		coroutine.uc_stack.ss_sp = area + 4096;
		coroutine.uc_stack.ss_size = pages * 4096;
		coroutine.uc_link = &scheduler;
		makecontext(&coroutine, coroutine_body, 0);
		/* libunwind needs more than 16 KiB to compare: small ones are captured alone */
		begin();
		swapcontext(&scheduler, &coroutine);
		expect_whole("coroutine");
		visit();
		swapcontext(&scheduler, &coroutine);
		visit();
		expect_whole("coroutine");
		munmap(area, 8 * 4096);
		visit();
		expect_whole("beside a coroutine");
	}
}
END_TEST

/* Code made at run time has no unwind tables: the walk ends there, and says so. */
START_TEST(code_without_unwind_tables)
{
	/* push rbx; call *rdi; pop rbx; ret */
	static const unsigned char code[] = { 0x53, 0xff, 0xd7, 0x5b, 0xc3 };
	unsigned char *at =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(at, code, sizeof code);
	void (*call)(visit_fn) = (void (*)(visit_fn))(uintptr_t)at;
	begin();
	for (int i = 0; i < 5; i++)
		call(visit);
	const struct rec_stack *stack = record(last_stack);
	ck_assert_uint_eq(bad_stacks, 0);
	ck_assert(stack->flags & STACK_TRUNCATED);
	ck_assert_uint_eq(stack->count, 2);
	ck_assert_uint_eq(stack->frames[1], (uintptr_t)at + 3);
	munmap(at, 4096);
}
END_TEST

/* -- fork --------------------------------------------------------------------- */

START_TEST(fork_child_starts_afresh)
{
	visit();
	pid_t pid = fork();
	if (pid == 0) {
		recording_fork_child();
		if (recording_open() != 0)
			_exit(10);
		stack_fork_child();
		begin();
		visit();
		const struct rec_stack *stack = record(last_stack);
		uint32_t modules = view_modules(recording_view());
		recording_unlink();
		_exit(bad_stacks ? 1 : !stack || stack->flags & STACK_TRUNCATED ? 2 : modules < 2 ? 3 : 0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(errno_is_kept)
{
	errno = 4711;
	stack_capture(__builtin_frame_address(0));
	ck_assert_int_eq(errno, 4711);
	shapes_O3[5].call(3, visit);
	ck_assert_int_eq(errno, 4711);
}
END_TEST

int main(void)
{
	if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
		printf("libunwind tests memory with system calls that valgrind takes for errors\n");
		return 77;
	}
	Suite *suite = suite_create("stack");
	TCase *tcase = tcase_create("capture");
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, shapes_are_as_libunwind_sees_them);
	tcase_add_test(tcase, random_calls);
	tcase_add_test(tcase, often_on_the_same_frames);
	tcase_add_loop_test(tcase, inner_frames_in_turn, 0, 8);
	tcase_add_test(tcase, recursion_beyond_what_is_kept);
	tcase_add_test(tcase, equal_stacks_have_one_id);
	tcase_add_test(tcase, deep_recursion_is_cut_at_the_depth);
	tcase_add_test(tcase, first_frame_is_the_caller);
	tcase_add_test(tcase, signal_handlers);
	tcase_add_test(tcase, signal_handlers_on_their_own_stack);
	tcase_add_test(tcase, captures_interrupted_by_captures);
	tcase_add_test(tcase, captures_left_by_longjmp);
	tcase_add_test(tcase, threads);
	tcase_add_test(tcase, threads_share_ids);
	tcase_add_test(tcase, small_stacks);
	tcase_add_test(tcase, coroutines);
	tcase_add_test(tcase, code_without_unwind_tables);
	tcase_add_test(tcase, fork_child_starts_afresh);
	tcase_add_test(tcase, errno_is_kept);
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
