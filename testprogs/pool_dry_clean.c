/*
 * pool_dry, put right: every way out of the function posts. Slow connections keep all
 * of the workers waiting for longer than a moment.
 *
 * TIMEOUT: 20
 * KINDS: none
 */
#include <semaphore.h>
#include <stdint.h>

#include "lib/show.h"

#define WORKERS 4

static sem_t connections;

static void serve(uintptr_t request)
{
	sem_wait(&connections);
	if (request % 3)
		sleep_ms(300);
	sem_post(&connections);
}

static void *worker(void *argument)
{
	for (uintptr_t request = (uintptr_t)argument; request < 16; request += WORKERS)
		serve(request);
	return NULL;
}

int main(void)
{
	pthread_t threads[WORKERS];
	sem_init(&connections, 0, 2);
	for (uintptr_t i = 0; i < WORKERS; i++)
		threads[i] = thread_start(worker, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	sem_destroy(&connections);
	return 0;
}
