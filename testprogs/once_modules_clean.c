/*
 * once_modules, put right: the log needs the configuration, and the configuration needs nobody. Many threads come to
 * both at once, and some wait for what another one initialises.
 *
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

#define THREADS 8

static pthread_once_t log_once = PTHREAD_ONCE_INIT, config_once = PTHREAD_ONCE_INIT;
static pthread_barrier_t all_begun;

static void config_init(void)
{
	sleep_ms(50);
}

static void log_init(void)
{
	sleep_ms(20);
	pthread_once(&config_once, config_init);
}

static void *uses(void *first)
{
	pthread_barrier_wait(&all_begun);
	if (first)
		pthread_once(&log_once, log_init);
	pthread_once(&config_once, config_init);
	pthread_once(&log_once, log_init);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&all_begun, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(uses, i % 2 ? &threads : NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&all_begun);
	puts("done");
	return 0;
}
