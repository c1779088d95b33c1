/*
 * sem_pool_dry, put right: the connection is given back on every way out. More threads than connections wait for
 * one now and then.
 *
 * RUN: whoholds run --set tick=5ms %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include <semaphore.h>
#include <stdio.h>

#include "lib/show.h"

#define CONNECTIONS 2
#define THREADS 6

static sem_t connections;

static int send_message(int bytes)
{
	int sent = -1;

	sem_wait(&connections);
	if (bytes) {
		sleep_ms(1);
		sent = bytes;
	}
	sem_post(&connections);
	return sent;
}

static void *sends(void *unused)
{
	for (int i = 1; i <= 100; i++)
		send_message(i % 10);
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	sem_init(&connections, 0, CONNECTIONS);
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(sends, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sem_destroy(&connections);
	puts("done");
	return 0;
}
