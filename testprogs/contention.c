/*
 * A thread thinks with the cache locked; another one wants to read it each time. Nothing is wrong, but whoever asks
 * where the time goes is told which lock is waited for, from where, and whose doing that is: `refill` makes
 * others wait, and the counters' lock is nobody's trouble.
 * Hard because: the holder took the lock when it was free, at the price of no clock, and the time is to be put down to it.
 *
 * RUN: whoholds run -v %prog
 * KINDS: none
 * EXPECT: locks that threads waited for (1 of 2):
 * EXPECT: mutex cache
 * EXPECT: contention.c:{{line refill}}
 * EXPECT-JSON: lock("cache") | .contended == 5 and .acquisitions == 10 and .wait_s >= 0.15 and .longest_wait_s >= 0.03
 * EXPECT-JSON: lock("cache") | place("refill") | .contended == 0 and .acquisitions == 5 and .delay_s >= 0.1
 * EXPECT-JSON: lock("cache") | place("refill") | .longest_hold_s >= 0.02
 * EXPECT-JSON: lock("cache") | place("look") | .contended == 5 and .delay_s == 0 and .hold_s > 0
 * EXPECT-JSON: lock("cache") | .delay_s <= .wait_s
 * EXPECT-JSON: lock("counters") | .acquisitions == 3000 and .contended == 0 and .delay_s == 0 and .wait_s == 0
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#define ROUNDS 5
#define COUNTED 1000

static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER, counters = PTHREAD_MUTEX_INITIALIZER;
static sem_t filling, looked;
static volatile long hits;

static void pause_ms(long ms)
{
	struct timespec pause = { .tv_nsec = ms * 1000000 };
	nanosleep(&pause, NULL);
}

__attribute__((noinline)) static void refill(void)
{
	pthread_mutex_lock(&cache); /* line: refill */
	sem_post(&filling);
	/* 2: somebody sleeps for it. */
	while (__atomic_load_n(&cache.__data.__lock, __ATOMIC_RELAXED) != 2)
		sched_yield();
	pause_ms(30);
	pthread_mutex_unlock(&cache);
}

__attribute__((noinline)) static void look(void)
{
	pthread_mutex_lock(&cache);
	hits++;
	pthread_mutex_unlock(&cache);
}

__attribute__((noinline)) static void count(void)
{
	for (int i = 0; i < COUNTED; i++) {
		pthread_mutex_lock(&counters);
		hits++;
		pthread_mutex_unlock(&counters);
	}
}

static void *reader(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		sem_wait(&filling);
		look();
		sem_post(&looked);
	}
	count();
	return unused;
}

static void *counter(void *unused)
{
	count();
	return unused;
}

int main(void)
{
	pthread_t thread;

	sem_init(&filling, 0, 0);
	sem_init(&looked, 0, 0);
	pthread_create(&thread, NULL, reader, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		refill();
		sem_wait(&looked);
	}
	pthread_join(thread, NULL);
	/* One after the other: nobody waits. */
	pthread_create(&thread, NULL, counter, NULL);
	pthread_join(thread, NULL);
	count();
	return 0;
}
