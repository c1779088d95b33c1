/*
 * abba, put right: both threads take the locks in one order, many times.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static long taken;

static void *worker(void *unused)
{
	for (int i = 0; i < 100000; i++) {
		pthread_mutex_lock(&a);
		pthread_mutex_lock(&b);
		taken++;
		pthread_mutex_unlock(&b);
		pthread_mutex_unlock(&a);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(worker, NULL), thread_start(worker, NULL) };

	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("taken %ld times\n", taken);
	return 0;
}
