/*
 * self_deadlock, put right with a recursive lock, and once more with one that
 * checks and answers EDEADLK.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <errno.h>
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checks = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static int entries;

static void append(void)
{
	pthread_mutex_lock(&lock);
	entries++;
	pthread_mutex_unlock(&lock);
}

static void *lonely(void *unused)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		append();
		append();
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

int main(void)
{
	pthread_join(thread_start(lonely, NULL), NULL);
	pthread_mutex_lock(&checks);
	printf("%d entries, second lock: %s\n", entries,
	       pthread_mutex_lock(&checks) == EDEADLK ? "EDEADLK" : "?");
	pthread_mutex_unlock(&checks);
	return 0;
}
