/*
 * Two locks in both orders, but never by two threads that could be at it at once: one thread alone;
 * main before it makes the others, and after it has joined them; two threads one after the other; a
 * thread that was made by the one that is done with it.
 *
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static void *forth(void *unused)
{
	for (int i = 0; i < 100; i++)
		take(&a, &b);
	return unused;
}

static void *back(void *unused)
{
	for (int i = 0; i < 100; i++)
		take(&b, &a);
	return unused;
}

static void *child_of_maker(void *unused)
{
	take(&c, &a);
	return unused;
}

static void *maker(void *unused)
{
	take(&a, &c);
	pthread_t thread = thread_start(child_of_maker, NULL);
	pthread_join(thread, NULL);
	take(&a, &c);
	return unused;
}

int main(void)
{
	take(&b, &a);
	for (int i = 0; i < 3; i++) {
		pthread_t threads[] = { thread_start(forth, NULL), thread_start(forth, NULL) };
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		take(&b, &a);
		take(&a, &b);
		pthread_t thread = thread_start(back, NULL);
		pthread_join(thread, NULL);
	}
	pthread_t thread = thread_start(maker, NULL);
	pthread_join(thread, NULL);
	puts("done");
	return 0;
}
