/*
 * once_deadlock, put right: the configuration is loaded before the lock is taken.
 * The once-routine takes its time; others wait for it, which is what it is for.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_once_t config = PTHREAD_ONCE_INIT;
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static int entries;

static void load_config(void)
{
	sleep_ms(300);
	pthread_mutex_lock(&registry);
	entries++;
	pthread_mutex_unlock(&registry);
}

static void *member(void *unused)
{
	pthread_once(&config, load_config);
	pthread_mutex_lock(&registry);
	entries++;
	pthread_mutex_unlock(&registry);
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(member, NULL), thread_start(member, NULL) };

	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("%d entries\n", entries);
	return 0;
}
