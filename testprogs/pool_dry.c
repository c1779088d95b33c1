/*
 * A pool of two connections, counted by a semaphore. A taker that finds its request
 * to be nonsense returns early and does not post; after two of these everybody waits.
 *
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: all 5 threads have waited
 * EXPECT: serve
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "serve"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_object("sem"; "{{addr connections}}")
 * EXPECT-REPORT: pool_dry.c:{{line waits}}
 */
#include <semaphore.h>
#include <stdint.h>

#include "lib/show.h"

#define WORKERS 4

static sem_t connections;

static void serve(uintptr_t request)
{
	sem_wait(&connections); /* line: waits */
	if (request % 3 == 0)
		return; /* and keeps the connection */
	sem_post(&connections);
}

static void *worker(void *argument)
{
	for (uintptr_t request = (uintptr_t)argument; request < 100; request += WORKERS)
		serve(request);
	return NULL;
}

int main(void)
{
	pthread_t threads[WORKERS];
	show_addr("connections", &connections);
	sem_init(&connections, 0, 2);
	for (uintptr_t i = 0; i < WORKERS; i++)
		threads[i] = thread_start(worker, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
