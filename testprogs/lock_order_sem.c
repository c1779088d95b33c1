/*
 * A semaphore that is used as a lock, and a mutex, in both orders; three philosophers with a room that has a place for
 * each of them.
 *
 * Hard because nothing tells a semaphore that is a lock from one that counts or signals but how it is used: nobody posts it
 * who had not taken it.
 *
 * KINDS: lock-order
 * EXPECT: semaphore turn and mutex table are taken in both orders
 * EXPECT: mutex forks[0]
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "turn_then_table"; {{line turn then table}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "table_then_turn"; {{line table then turn}})
 */
#include <semaphore.h>

#include "lib/show.h"

#define COUNT 3

static sem_t turn, room;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t forks[COUNT];
static pthread_barrier_t first_is_done;

static void *turn_then_table(void *unused)
{
	sem_wait(&turn);
	pthread_mutex_lock(&table); /* line: turn then table */
	pthread_mutex_unlock(&table);
	sem_post(&turn);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *table_then_turn(void *unused)
{
	pthread_mutex_lock(&table);
	sem_wait(&turn); /* line: table then turn */
	sem_post(&turn);
	pthread_mutex_unlock(&table);
	return unused;
}

static sem_t next[COUNT + 1];

/* One after the other, so that none of them meets another. */
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
	sem_init(&room, 0, COUNT);
	for (int i = 0; i <= COUNT; i++)
		sem_init(&next[i], 0, 0);
	for (int i = 0; i < COUNT; i++) {
		pthread_mutex_init(&forks[i], NULL);
		threads[i] = thread_start(philosopher, (void *)(long)i);
	}
	pthread_t first = thread_start(turn_then_table, NULL);
	pthread_barrier_wait(&first_is_done);
	table_then_turn(NULL);
	sem_post(&next[0]);
	pthread_join(first, NULL);
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
