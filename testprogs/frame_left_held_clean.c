/*
 * The twin: each of these locks is held for a while, on the stack of a thread that stands still above it or has ended
 * since, and nothing is wrong: it lies in a frame that a signal handler interrupted, which runs on a variable of the
 * thread's or on its thread-local storage; in the frame of a suspended coroutine; in that of a handler which interrupted
 * what the thread stands in; it was given back before the function was left by longjmp, or before the stack became that
 * of the next thread.
 *
 * KINDS: none
 */
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define STACK_BYTES 65536
#define LONG_MS 600 /* several looks */

static void stand_still(void)
{
	usleep(LONG_MS * 1000);
}

/* -- a handler on a piece of the thread's stack ------------------------------- */

static void handler(int signal)
{
	(void)signal;
	stand_still();
}

__attribute__((noinline)) static void interrupted(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	raise(SIGUSR1);
	pthread_mutex_unlock(&lock);
}

static void *around_local(void *unused)
{
	char memory[STACK_BYTES];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory }, old;
	CHECK(sigaltstack(&stack, &old) == 0);
	interrupted();
	CHECK(sigaltstack(&old, NULL) == 0);
	return unused;
}

static void *around_thread_local(void *unused)
{
	static __thread char memory[STACK_BYTES];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory }, old;
	CHECK(sigaltstack(&stack, &old) == 0);
	interrupted();
	CHECK(sigaltstack(&old, NULL) == 0);
	return unused;
}

/* -- a coroutine ---------------------------------------------------------------- */

static ucontext_t outside, inside;

static void coroutine(void)
{
	stand_still();
	swapcontext(&inside, &outside);
}

__attribute__((noinline)) static void suspended(void)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_rwlock_wrlock(&lock);
	swapcontext(&outside, &inside);
	pthread_rwlock_unlock(&lock);
}

static void *around_coroutine(void *unused)
{
	char stack[STACK_BYTES];
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof stack;
	inside.uc_link = NULL;
	makecontext(&inside, coroutine, 0);
	suspended();
	return unused;
}

/* -- a handler's own lock, which it took while the thread stood still, or lent --- */

static int has_it;

static void *borrower(void *data)
{
	pthread_mutex_t *lock = data;
	pthread_mutex_lock(lock);
	__atomic_store_n(&has_it, 1, __ATOMIC_RELEASE);
	stand_still();
	pthread_mutex_unlock(lock);
	__atomic_store_n(&has_it, 2, __ATOMIC_RELEASE);
	return NULL;
}

static void busy(long ms)
{
	struct timespec until = check_in_ms(CLOCK_MONOTONIC, ms), now;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec < until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec));
}

static void locking(int signal)
{
	pthread_spinlock_t lock;
	(void)signal;
	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_lock(&lock);
	busy(LONG_MS);
	pthread_spin_unlock(&lock);
}

static void lending(int signal)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	(void)signal;
	__atomic_store_n(&has_it, 0, __ATOMIC_RELEASE);
	pthread_t borrows = thread_start(borrower, &lock);
	while (__atomic_load_n(&has_it, __ATOMIC_ACQUIRE) != 2)
		busy(1);
	pthread_join(borrows, NULL);
}

static void *interrupted_asleep(void *unused)
{
	pause();
	pause();
	return unused;
}

static void interrupt(void)
{
	pthread_t sleeps = thread_start(interrupted_asleep, NULL);
	usleep(20000);
	pthread_kill(sleeps, SIGUSR2);
	usleep(20000);
	/* Until both have been seen, each of which ends one of the pauses, or is seen before them. */
	pthread_kill(sleeps, SIGHUP);
	while (pthread_tryjoin_np(sleeps, NULL) != 0) {
		usleep(20000);
		pthread_kill(sleeps, SIGWINCH);
	}
}

static void nothing(int signal)
{
	(void)signal;
}

/* -- given back ------------------------------------------------------------------ */

static jmp_buf out;

__attribute__((noinline)) static void jumps_out(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	longjmp(out, 1);
}

/* Where the one before had its own. */
static void *next_thread(void *unused)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	usleep(50000);
	pthread_mutex_unlock(&lock);
	return unused;
}

static void on(int signal, void (*handle)(int), int flags)
{
	CHECK(sigaction(signal, &(struct sigaction){ .sa_handler = handle, .sa_flags = flags }, NULL) == 0);
}

int main(void)
{
	on(SIGUSR1, handler, SA_ONSTACK);
	on(SIGUSR2, locking, 0);
	on(SIGHUP, lending, 0);
	on(SIGWINCH, nothing, 0);
	around_local(NULL);
	around_coroutine(NULL);
	pthread_join(thread_start(around_local, NULL), NULL);
	pthread_join(thread_start(around_thread_local, NULL), NULL);
	pthread_join(thread_start(around_coroutine, NULL), NULL);
	interrupt();
	if (!setjmp(out))
		jumps_out();
	for (int i = 0; i < 6; i++)
		pthread_join(thread_start(next_thread, NULL), NULL);
	stand_still();
	return 0;
}
