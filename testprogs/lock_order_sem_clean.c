/*
 * Semaphores that keep threads apart: one with a single place is a common outer lock, and three philosophers in a
 * room for two can't close their ring. And one that starts at 1 but is a signal, posted by another than who took it: an order
 * with it is none.
 *
 * KINDS: none
 */
#include <semaphore.h>

#include "lib/show.h"

#define COUNT 3

static sem_t turn, room, next[COUNT + 1], news;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t forks[COUNT];
static pthread_barrier_t first_is_done;

static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	sem_wait(&turn);
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
	sem_post(&turn);
}

static void *a_then_b(void *unused)
{
	both(&a, &b);
	/* Takes the news that main posts, with a lock; main posts with none, and takes the lock with none. */
	sem_wait(&news);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&first_is_done);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

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

int main(void)
{
	pthread_t threads[COUNT];

	pthread_barrier_init(&first_is_done, NULL, 2);
	sem_init(&turn, 0, 1);
	sem_init(&news, 0, 1);
	sem_init(&room, 0, COUNT - 1);
	for (int i = 0; i <= COUNT; i++)
		sem_init(&next[i], 0, 0);
	for (int i = 0; i < COUNT; i++) {
		pthread_mutex_init(&forks[i], NULL);
		threads[i] = thread_start(philosopher, (void *)(long)i);
	}
	pthread_t first = thread_start(a_then_b, NULL);
	pthread_barrier_wait(&first_is_done);
	both(&b, &a);
	sem_post(&news);
	pthread_mutex_lock(&a);
	sem_wait(&news);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&first_is_done);
	sem_post(&next[0]);
	pthread_join(first, NULL);
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
