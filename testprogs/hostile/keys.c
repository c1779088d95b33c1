/*
 * All 1,024 thread-specific keys are the program's, the first ones are those that libc has always given out first, and
 * threads that end while none is left for anybody else are threads that ended: nothing is told of what their
 * destructors give back, they can be told from one that holds a lock, and their names are free again.
 * Guards: a library that keeps a key for itself.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: 1024 keys from 0
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_key_t keys[PTHREAD_KEYS_MAX];
static pthread_mutex_t kept = PTHREAD_MUTEX_INITIALIZER;
static int destroyed, armed;

static void destroy(void *value)
{
	pthread_mutex_t *lock = value;
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(lock);
}

/* Takes a lock that the last destructor of the thread gives back. */
static void *returns(void *lock)
{
	pthread_mutex_lock(lock);
	pthread_setspecific(keys[PTHREAD_KEYS_MAX - 1], lock);
	free(malloc(100));
	return lock;
}

static void *exits(void *lock)
{
	pthread_exit(returns(lock));
}

static void *hangs(void *lock)
{
	returns(lock);
	__atomic_store_n(&armed, 1, __ATOMIC_RELEASE);
	while (pause())
		;
	return NULL;
}

static void *waits(void *unused)
{
	while (!__atomic_load_n(&armed, __ATOMIC_ACQUIRE))
		usleep(1000);
	return unused;
}

int main(void)
{
	/* Alive while the keys run out. */
	pthread_t before = thread_start(waits, NULL);
	int count = 0;

	while (count < PTHREAD_KEYS_MAX && pthread_key_create(&keys[count], destroy) == 0)
		count++;
	CHECK_EQUAL(count, PTHREAD_KEYS_MAX);
	pthread_key_t more;
	CHECK_EQUAL(pthread_key_create(&more, NULL), EAGAIN);
	for (int i = 0; i < count; i++)
		CHECK(pthread_getspecific(keys[i]) == NULL);

	for (int i = 0; i < 500; i++) {
		pthread_t thread = thread_start(i % 2 ? returns : exits, &kept);
		void *value;
		CHECK_EQUAL(pthread_join(thread, &value), 0);
		CHECK(value == &kept);
	}
	CHECK_EQUAL(destroyed, 500);
	pthread_t thread = thread_start(hangs, &kept);
	CHECK_EQUAL(pthread_join(before, NULL), 0);
	CHECK_EQUAL(pthread_cancel(thread), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	CHECK_EQUAL(destroyed, 501);

	CHECK_EQUAL(pthread_mutex_trylock(&kept), 0);
	CHECK_EQUAL(pthread_mutex_unlock(&kept), 0);
	CHECK_EQUAL(pthread_key_delete(keys[5]), 0);
	CHECK_EQUAL(pthread_key_create(&more, NULL), 0);
	CHECK_EQUAL(more, keys[5]);
	printf("%d keys from %u\n", count, keys[0]);
	return 0;
}
