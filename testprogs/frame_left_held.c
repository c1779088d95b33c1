/*
 * Functions that lock a local variable and return without unlocking it: the lock is still the thread's, its memory
 * is the next call's. By an early return, by longjmp, of a thread as of the program's first; and one that another
 * thread has, who took it in time.
 *
 * KINDS: destroyed-in-use
 * EXPECT: thread 1 "main" holds mutex
 * EXPECT: in a stack frame that it has left
 * EXPECT: thread 2 "worker" holds rwlock
 * EXPECT: thread 3 "borrower" holds mutex
 * EXPECT: in a stack frame that thread 1 "main" has left
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "returns_early"; {{line early}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "jumps_out"; {{line jumps}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "borrower"; {{line borrows}})
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define LONG_MS 600 /* several looks */

static jmp_buf out;
static int has_it;

__attribute__((noinline)) static int returns_early(int argument)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock); /* line: early */
	if (argument >= 0)
		return argument;
	pthread_mutex_unlock(&lock);
	return 0;
}

__attribute__((noinline)) static void jumps_out(void)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_rwlock_wrlock(&lock); /* line: jumps */
	longjmp(out, 1);
}

static void *worker(void *unused)
{
	show_thread("worker");
	if (!setjmp(out))
		jumps_out();
	sleep_ms(LONG_MS);
	return unused;
}

static void *borrower(void *lock)
{
	show_thread("borrower");
	pthread_mutex_lock(lock); /* line: borrows */
	__atomic_store_n(&has_it, 1, __ATOMIC_RELEASE);
	sleep_ms(4 * LONG_MS);
	_exit(0);
}

__attribute__((noinline)) static void lends(void)
{
	/* Deep enough that what is called next leaves it alone. */
	volatile char room[4096];
	pthread_mutex_t lock;
	pthread_mutex_init(&lock, NULL);
	room[0] = 0;
	thread_start(borrower, &lock);
	while (!__atomic_load_n(&has_it, __ATOMIC_ACQUIRE))
		sleep_ms(1);
}

int main(void)
{
	show_thread("main");
	returns_early(0);
	pthread_t works = thread_start(worker, NULL);
	pthread_join(works, NULL);
	lends();
	for (;;)
		pause();
}
