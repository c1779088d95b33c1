/*
 * Captured stacks against libunwind, frame by frame, over frames of all shapes and on
 * all kinds of stacks.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "testprogs/unit/stack_world.h"

/* -- shapes ------------------------------------------------------------------- */

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

/* -- one stack, one id ---------------------------------------------------------- */

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

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, shapes_are_as_libunwind_sees_them);
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
}

int main(void)
{
	return run_suite("stack", add_tests);
}
