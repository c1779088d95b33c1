/*
 * An order and its reverse at the same addresses, but of other locks each time: destroyed and
 * initialised anew, a static one after its end, a semaphore, and in memory that was freed and allocated again
 * without any call that tells of a lock.
 *
 * KINDS: none
 */
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/show.h"

struct session {
	char name[24];
	pthread_mutex_t lock;
};

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t made, once_static = PTHREAD_MUTEX_INITIALIZER;
static sem_t place;
static struct session *session;
static pthread_barrier_t turn;

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static void take_place(bool is_outer)
{
	sem_init(&place, 0, 1);
	if (is_outer)
		sem_wait(&place);
	pthread_mutex_lock(&table);
	if (!is_outer)
		sem_wait(&place);
	sem_post(&place);
	pthread_mutex_unlock(&table);
	sem_destroy(&place);
}

static struct session *session_new(void)
{
	struct session *new = malloc(sizeof *new);

	new->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	return new;
}

/* Not in the same place, so that the two are not of one kind. */
static struct session *session_copy(void)
{
	struct session *new = malloc(sizeof *new);

	new->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	return new;
}

static void *first(void *unused)
{
	pthread_mutex_init(&made, NULL);
	take(&table, &made);
	pthread_mutex_destroy(&made);
	take(&table, &once_static);
	pthread_mutex_destroy(&once_static);
	take(&table, &session->lock);
	take_place(false);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	return unused;
}

static void *second(void *unused)
{
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	pthread_mutex_init(&made, NULL);
	take(&made, &table);
	once_static = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	take(&once_static, &table);
	take(&session->lock, &table);
	take_place(true);
	return unused;
}

int main(void)
{
	session = session_new();
	pthread_barrier_init(&turn, NULL, 3);
	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_barrier_wait(&turn);
	void *was_at = session;
	free(session);
	session = session_copy();
	if ((void *)session != was_at)
		puts("the memory was not used again: one part is not tested");
	pthread_barrier_wait(&turn);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	free(session);
	puts("done");
	return 0;
}
