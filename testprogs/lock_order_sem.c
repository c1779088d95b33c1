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

#include "lib/philosophers_in_room.h"
#include "lib/show.h"

static sem_t turn;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
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

int main(void)
{
	pthread_barrier_init(&first_is_done, NULL, 2);
	sem_init(&turn, 0, 1);
	pthread_t first = thread_start(turn_then_table, NULL);
	pthread_barrier_wait(&first_is_done);
	table_then_turn(NULL);
	pthread_join(first, NULL);
	philosophers_dine(COUNT);
	return 0;
}
