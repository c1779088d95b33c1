/*
 * cycle3, put right: a try, and giving up one's own lock where the next is taken.
 * Threads that wait in a ring for a moment, again and again, are no deadlock.
 *
 * RUN: whoholds run --set blocked=1s --set tick=5ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/show.h"

#define RING 3

static pthread_mutex_t locks[RING] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				       PTHREAD_MUTEX_INITIALIZER };

static void *member(void *argument)
{
	uintptr_t number = (uintptr_t)argument;

	for (int done = 0; done < 20000;) {
		pthread_mutex_lock(&locks[number]);
		if (pthread_mutex_trylock(&locks[(number + 1) % RING]) == 0) {
			done++;
			pthread_mutex_unlock(&locks[(number + 1) % RING]);
			pthread_mutex_unlock(&locks[number]);
		} else {
			pthread_mutex_unlock(&locks[number]);
			sched_yield();
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[RING];

	for (uintptr_t i = 0; i < RING; i++)
		threads[i] = thread_start(member, (void *)i);
	for (int i = 0; i < RING; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	return 0;
}
