/*
 * A function has its lock as a local variable, lends it to a thread and returns while that waits for it: the
 * thread sleeps on memory that is the next call's. The same with a thread that ends, of which nobody takes notice.
 *
 * HANGS: yes
 * KINDS: destroyed-in-use deadlock
 * EXPECT: waits for mutex
 * EXPECT: in a stack frame that thread 1 "main" has left
 * EXPECT: waits for semaphore
 * EXPECT: on the stack of thread 3 "lender", which has ended
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("waits"; "borrower"; {{line waits}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("now"; "main"; {{line now}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("waits"; "taker"; {{line takes}})
 */
#include <semaphore.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static int borrower_tid, taker_tid;

static void wait_for(const int *tid)
{
	while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	check_blocked(*tid);
}

static void *borrower(void *lock)
{
	show_thread("borrower");
	__atomic_store_n(&borrower_tid, check_tid(), __ATOMIC_RELEASE);
	pthread_mutex_lock(lock); /* line: waits */
	return NULL;
}

__attribute__((noinline)) static pthread_t lend(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	pthread_t thread = thread_start(borrower, &lock);
	wait_for(&borrower_tid);
	return thread;
}

static void *taker(void *units)
{
	show_thread("taker");
	__atomic_store_n(&taker_tid, check_tid(), __ATOMIC_RELEASE);
	sem_wait(units); /* line: takes */
	return NULL;
}

static void *lender(void *unused)
{
	sem_t units;
	show_thread("lender");
	CHECK(sem_init(&units, 0, 0) == 0);
	thread_start(taker, &units);
	wait_for(&taker_tid);
	return unused;
}

int main(void)
{
	pthread_t waits = lend();
	thread_start(lender, NULL);
	pthread_join(waits, NULL); /* line: now */
	return 0;
}
