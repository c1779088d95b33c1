/*
 * freed_in_use, put right: who uses a session has a reference, and the last one to give it back frees it, under
 * the lock of the table, a moment after the lock in it was given back. Blocks are freed with locks in them that
 * were never destroyed, and the next ones made there.
 *
 * RUN: whoholds run --set tick=5ms %prog
 * TIMEOUT: 30
 * KINDS: none
 * EXPECT-STDOUT: 4000 uses
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/session.h"
#include "lib/show.h"

#define THREADS 4
#define ROUNDS 1000

static atomic_int uses;

struct counted {
	struct session *session;
	atomic_int references;
};

static void *use(void *argument)
{
	struct counted *counted = argument;
	struct session *session = counted->session;

	pthread_mutex_lock(&session->lock);
	session->number++;
	pthread_cond_broadcast(&session->changed);
	while (session->number < THREADS)
		pthread_cond_wait(&session->changed, &session->lock);
	pthread_mutex_unlock(&session->lock);
	uses++;
	if (atomic_fetch_sub(&counted->references, 1) == 1) {
		/* Every other one as programs do that know what is in it. */
		if (session->number % 2)
			session_free(session);
		else
			free(session);
		free(counted);
	}
	return NULL;
}

int main(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_t threads[THREADS];
		struct counted *counted = malloc(sizeof *counted);
		counted->session = session_new(0);
		counted->references = THREADS;
		for (int j = 0; j < THREADS; j++)
			threads[j] = thread_start(use, counted);
		for (int j = 0; j < THREADS; j++)
			pthread_join(threads[j], NULL);
	}
	printf("%d uses\n", uses);
	return 0;
}
