/*
 * A pool of workers with nothing to do: each waits in a condition variable, with
 * the mutex that goes with it given up, and main in a join, longer than every
 * threshold. Idle is not hung.
 *
 * RUN: whoholds run --set blocked=300ms --set held=300ms --set iterating=300ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <semaphore.h>
#include <stdio.h>

#include "lib/chan.h"
#include "lib/show.h"

#define WORKERS 4
#define STOP (-1)

static struct chan jobs = CHAN_INIT;
static sem_t posted;
static int done[WORKERS];

static void *worker(void *argument)
{
	int *mine = argument;

	for (;;) {
		int job = chan_recv(&jobs);
		if (job == STOP)
			return NULL;
		*mine += job;
		sem_post(&posted);
	}
}

static void *idles_on_semaphore(void *unused)
{
	for (int i = 0; i < 10; i++)
		sem_wait(&posted);
	return unused;
}

int main(void)
{
	pthread_t threads[WORKERS], idle = thread_start(idles_on_semaphore, NULL);
	int sum = 0;

	for (int i = 0; i < WORKERS; i++)
		threads[i] = thread_start(worker, &done[i]);
	sleep_ms(1500);
	for (int i = 0; i < 10; i++)
		chan_send(&jobs, i);
	pthread_join(idle, NULL);
	sleep_ms(500);
	for (int i = 0; i < WORKERS; i++)
		chan_send(&jobs, STOP);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		sum += done[i];
	}
	sem_destroy(&posted);
	printf("sum %d\n", sum);
	return 0;
}
