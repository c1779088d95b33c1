/*
 * join_deadlock, put right: the lock is given back before the join, which takes
 * longer than the threshold.
 *
 * RUN: whoholds run --set blocked=500ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;
static int finished;

static void *worker(void *unused)
{
	sleep_ms(1200);
	pthread_mutex_lock(&state);
	finished = 1;
	pthread_mutex_unlock(&state);
	return unused;
}

static void *boss(void *unused)
{
	pthread_t thread;

	pthread_mutex_lock(&state);
	thread = thread_start(worker, NULL);
	pthread_mutex_unlock(&state);
	pthread_join(thread, NULL);
	return unused;
}

int main(void)
{
	pthread_join(thread_start(boss, NULL), NULL);
	printf("finished: %d\n", finished);
	return 0;
}
