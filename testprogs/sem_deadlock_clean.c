/*
 * Semaphores that start at 1 and are no locks: two threads each take one and wait
 * for the other's, in a ring as sem_deadlock's, and a third one, that has never taken them, posts
 * both after a while.
 *
 * TIMEOUT: 20
 * KINDS: none
 */
#include <semaphore.h>

#include "lib/show.h"

static sem_t a, b;
static pthread_barrier_t both;

static void cross(sem_t *own, sem_t *other)
{
	for (int round = 0; round < 3; round++) {
		sem_wait(own);
		pthread_barrier_wait(&both);
		sem_wait(other); /* posted by main, once both have come here */
	}
}

static void *first(void *unused)
{
	cross(&a, &b);
	return unused;
}

static void *second(void *unused)
{
	cross(&b, &a);
	return unused;
}

int main(void)
{
	sem_init(&a, 0, 1);
	sem_init(&b, 0, 1);
	pthread_barrier_init(&both, NULL, 2);
	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	for (int round = 0; round < 3; round++) {
		sleep_ms(600);
		sem_post(&a);
		sem_post(&b);
		sleep_ms(100);
		sem_post(&a);
		sem_post(&b);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
