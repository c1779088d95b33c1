/*
 * Semaphores that keep threads apart: one with a single place is a common outer lock, and three philosophers in a
 * room for two can't close their ring. And two that start at 1 but are signals, posted by others than who took them: an order
 * with them is none. One of them looks like a lock until it is handed over, and is destroyed then.
 *
 * KINDS: none
 */
#include <semaphore.h>

#include "lib/philosophers_in_room.h"
#include "lib/show.h"

static sem_t turn, news, baton;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
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

/* Gives it back as a lock is; the other thread does so for its second owner. */
static void baton_then_a(void)
{
	sem_wait(&baton);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	sem_post(&baton);
}

static void *a_then_b(void *unused)
{
	both(&a, &b);
	/* Takes the news that main posts, with a lock; main posts with none, and takes the lock with none. */
	sem_wait(&news);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	baton_then_a();
	pthread_barrier_wait(&first_is_done);
	pthread_barrier_wait(&first_is_done);
	sem_post(&baton);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&first_is_done, NULL, 2);
	sem_init(&turn, 0, 1);
	sem_init(&news, 0, 1);
	sem_init(&baton, 0, 1);
	pthread_t first = thread_start(a_then_b, NULL);
	pthread_barrier_wait(&first_is_done);
	both(&b, &a);
	sem_post(&news);
	pthread_mutex_lock(&a);
	sem_wait(&news);
	sem_wait(&baton);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&first_is_done);
	pthread_join(first, NULL);
	sem_destroy(&baton);
	philosophers_dine(COUNT - 1);
	return 0;
}
