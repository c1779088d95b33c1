/*
 * A session is closed while workers still use it: its mutex is destroyed under the one that holds it, its
 * semaphore under the one that waits for it, its barrier under one that has come. libc refuses the first, and says nothing
 * of the others.
 *
 * KINDS: destroyed-in-use
 * EXPECT: destroyed mutex session.lock while thread 2 "holder" held it
 * EXPECT: destroyed semaphore session.work while thread 3 "taker" waited for it
 * EXPECT: destroyed barrier session.start while thread 4 "comer" waited for it
 * EXPECT: destroyed rwlock session.table while it held it itself
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "session_close"; {{line mutex}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "holder"; {{line takes}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "session_close"; {{line sem}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("waits"; "taker"; {{line waits}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("waits"; "comer"; {{line comes}})
 */
#include <semaphore.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static struct {
	pthread_mutex_t lock;
	pthread_rwlock_t table;
	pthread_barrier_t start;
	sem_t work;
} session;

static int tids[3];

static void *holder(void *closed)
{
	show_thread("holder");
	pthread_mutex_lock(&session.lock); /* line: takes */
	__atomic_store_n(&tids[0], check_tid(), __ATOMIC_RELEASE);
	sem_wait(closed);
	pthread_mutex_unlock(&session.lock);
	return NULL;
}

static void *taker(void *unused)
{
	show_thread("taker");
	__atomic_store_n(&tids[1], check_tid(), __ATOMIC_RELEASE);
	sem_wait(&session.work); /* line: waits */
	return unused;
}

static void *comer(void *unused)
{
	show_thread("comer");
	__atomic_store_n(&tids[2], check_tid(), __ATOMIC_RELEASE);
	pthread_barrier_wait(&session.start); /* line: comes */
	return unused;
}

static void session_close(void)
{
	pthread_mutex_destroy(&session.lock); /* line: mutex */
	sem_destroy(&session.work);           /* line: sem */
	pthread_rwlock_rdlock(&session.table);
	pthread_rwlock_destroy(&session.table);
	pthread_rwlock_unlock(&session.table);
}

static void *gives_up(void *unused)
{
	pthread_barrier_destroy(&session.start);
	return unused;
}

static pthread_t begin(void *(*routine)(void *), void *data, const int *tid)
{
	pthread_t thread = thread_start(routine, data);
	while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	check_blocked(*tid);
	return thread;
}

int main(void)
{
	sem_t closed;
	pthread_mutex_init(&session.lock, NULL);
	pthread_rwlock_init(&session.table, NULL);
	pthread_barrier_init(&session.start, NULL, 2);
	sem_init(&session.work, 0, 0);
	sem_init(&closed, 0, 0);
	pthread_t first = begin(holder, &closed, &tids[0]);
	pthread_t second = begin(taker, NULL, &tids[1]);
	begin(comer, NULL, &tids[2]);
	session_close();
	sem_post(&closed);
	sem_post(&session.work);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	/* glibc would wait in it for ever. */
	thread_start(gives_up, NULL);
	sleep_ms(100);
	_exit(0);
}
