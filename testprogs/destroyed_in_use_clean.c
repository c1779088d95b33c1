/*
 * The twin: the session is closed once its workers have ended; a barrier goes when its last round is over.
 *
 * KINDS: none
 */
#include <semaphore.h>

#include "lib/show.h"

static struct {
	pthread_mutex_t lock;
	pthread_rwlock_t table;
	pthread_barrier_t start;
	sem_t work;
} session;

static void *worker(void *unused)
{
	pthread_barrier_wait(&session.start);
	sem_wait(&session.work);
	pthread_mutex_lock(&session.lock);
	pthread_rwlock_rdlock(&session.table);
	pthread_rwlock_unlock(&session.table);
	pthread_mutex_unlock(&session.lock);
	return unused;
}

int main(void)
{
	pthread_mutex_init(&session.lock, NULL);
	pthread_rwlock_init(&session.table, NULL);
	pthread_barrier_init(&session.start, NULL, 2);
	sem_init(&session.work, 0, 0);
	pthread_t thread = thread_start(worker, NULL);
	pthread_barrier_wait(&session.start);
	pthread_barrier_destroy(&session.start);
	sem_post(&session.work);
	pthread_join(thread, NULL);
	sem_destroy(&session.work);
	pthread_rwlock_destroy(&session.table);
	pthread_mutex_destroy(&session.lock);
	return 0;
}
