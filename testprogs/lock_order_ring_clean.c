/*
 * lock_order_ring, put right: at the one lock where the ring would close both only read. Nor is it a
 * ring where one thread would have to be in two places: it takes the first pair and the second.
 *
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t d = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t c = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t next;

static void *one(void *unused)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&d);
	pthread_mutex_unlock(&d);
	pthread_rwlock_rdlock(&c);
	pthread_rwlock_unlock(&c);
	pthread_mutex_unlock(&b);
	pthread_barrier_wait(&next);
	return unused;
}

static void *two(void *unused)
{
	pthread_barrier_wait(&next);
	pthread_mutex_lock(&d);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&d);
	pthread_rwlock_rdlock(&c);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_rwlock_unlock(&c);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&next, NULL, 2);
	pthread_t threads[] = { thread_start(one, NULL), thread_start(two, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	puts("done");
	return 0;
}
