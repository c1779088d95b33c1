/*
 * Objects with two locks each, and a worker for each of them, which takes both locks in the one order and then in the
 * other. Nobody else comes near them: no two threads ever meet at one object.
 *
 * Hard because by their kinds the locks are taken in both orders, by threads that run at once.
 *
 * KINDS: none
 */
#include <stdlib.h>

#include "lib/show.h"

#define WORKERS 3

struct session {
	pthread_mutex_t in, out;
};

static pthread_barrier_t all_there;

static __attribute__((noinline)) struct session *session_new(void)
{
	struct session *session = calloc(1, sizeof *session);

	pthread_mutex_init(&session->in, NULL);
	pthread_mutex_init(&session->out, NULL);
	return session;
}

static void session_read(struct session *session)
{
	pthread_mutex_lock(&session->in);
	pthread_mutex_lock(&session->out);
	pthread_mutex_unlock(&session->in);
	pthread_mutex_unlock(&session->out);
}

static void session_close(struct session *session)
{
	pthread_mutex_lock(&session->out);
	pthread_mutex_lock(&session->in);
	pthread_mutex_unlock(&session->out);
	pthread_mutex_unlock(&session->in);
}

static void *worker(void *session)
{
	pthread_barrier_wait(&all_there);
	for (int i = 0; i < 10; i++) {
		session_read(session);
		session_close(session);
	}
	pthread_barrier_wait(&all_there);
	return NULL;
}

int main(void)
{
	struct session *sessions[WORKERS];
	pthread_t threads[WORKERS];

	pthread_barrier_init(&all_there, NULL, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		sessions[i] = session_new();
	for (int i = 0; i < WORKERS; i++)
		threads[i] = thread_start(worker, sessions[i]);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		free(sessions[i]);
	}
	return 0;
}
