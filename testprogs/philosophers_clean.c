/*
 * philosophers, put right: each takes the fork with the lower number first, so the last one takes them the other way
 * round. They wait for one another all the time, and never in a ring.
 *
 * RUN: whoholds run --set blocked=1s --set tick=5ms %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include <stdint.h>
#include <stdio.h>

#include "lib/show.h"

#define SEATS 5

static pthread_mutex_t forks[SEATS];

static void *philosopher(void *argument)
{
	uintptr_t seat = (uintptr_t)argument, next = (seat + 1) % SEATS;
	pthread_mutex_t *first = &forks[seat < next ? seat : next],
			*second = &forks[seat < next ? next : seat];

	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(first);
		pthread_mutex_lock(second);
		if (i % 50 == 0)
			sleep_ms(1);
		pthread_mutex_unlock(second);
		pthread_mutex_unlock(first);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[SEATS];

	for (int i = 0; i < SEATS; i++)
		pthread_mutex_init(&forks[i], NULL);
	for (uintptr_t i = 0; i < SEATS; i++)
		threads[i] = thread_start(philosopher, (void *)i);
	for (int i = 0; i < SEATS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SEATS; i++)
		pthread_mutex_destroy(&forks[i]);
	puts("done");
	return 0;
}
