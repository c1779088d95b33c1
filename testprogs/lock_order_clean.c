/*
 * lock_order, put right: the second lock of one of the two is tried for, not waited for.
 *
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t first_is_done;

static void *first(void *unused)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *second(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	pthread_mutex_lock(&b);
	if (pthread_mutex_trylock(&a) == 0)
		pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&first_is_done, NULL, 2);
	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	puts("done");
	return 0;
}
