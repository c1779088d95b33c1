/*
 * Two locks in both orders, but always with a third one held, which keeps the two apart: a mutex, and
 * a readers-writer lock that one of the two threads has for writing.
 *
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t start;

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static void *first(void *unused)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&gate);
		take(&a, &b);
		pthread_mutex_unlock(&gate);
		pthread_rwlock_rdlock(&table);
		take(&a, &b);
		pthread_rwlock_unlock(&table);
	}
	return unused;
}

static void *second(void *unused)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < 1000; i++) {
		pthread_rwlock_wrlock(&table);
		pthread_mutex_lock(&gate);
		take(&b, &a);
		pthread_mutex_unlock(&gate);
		pthread_rwlock_unlock(&table);
	}
	return unused;
}

int main(void)
{
	pthread_barrier_init(&start, NULL, 2);
	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	puts("done");
	return 0;
}
