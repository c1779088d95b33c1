/*
 * Three philosophers who enter a room before they take their forks, one after the other, so that none of them meets another:
 * only the order is there to see. A semaphore says how many may be in the room.
 */
#ifndef TESTPROGS_PHILOSOPHERS_IN_ROOM_H
#define TESTPROGS_PHILOSOPHERS_IN_ROOM_H

#include <semaphore.h>

#include "lib/show.h"

#define COUNT 3

static sem_t room, next[COUNT + 1];
static pthread_mutex_t forks[COUNT];

static void *philosopher(void *data)
{
	int i = (int)(long)data;

	sem_wait(&next[i]);
	sem_wait(&room);
	pthread_mutex_lock(&forks[i]);
	pthread_mutex_lock(&forks[(i + 1) % COUNT]);
	pthread_mutex_unlock(&forks[(i + 1) % COUNT]);
	pthread_mutex_unlock(&forks[i]);
	sem_post(&room);
	sem_post(&next[i + 1]);
	return NULL;
}

static void philosophers_dine(unsigned places)
{
	pthread_t threads[COUNT];

	sem_init(&room, 0, places);
	for (int i = 0; i <= COUNT; i++)
		sem_init(&next[i], 0, 0);
	for (int i = 0; i < COUNT; i++) {
		pthread_mutex_init(&forks[i], NULL);
		threads[i] = thread_start(philosopher, (void *)(long)i);
	}
	sem_post(&next[0]);
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
}

#endif
