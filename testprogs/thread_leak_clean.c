/*
 * thread_leak, put right: detached by attribute, by call, by the thread itself,
 * or joined; and a worker that still runs when the program ends is no leak.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdatomic.h>
#include <stdio.h>

#include "lib/show.h"

#define REQUESTS 20

static atomic_int served;

static void *serve(void *detaches)
{
	if (detaches)
		pthread_detach(pthread_self());
	served++;
	return NULL;
}

static void *run_on(void *unused)
{
	for (;;)
		sleep_ms(1000);
	return unused;
}

int main(void)
{
	pthread_attr_t detached;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < REQUESTS; i++) {
		pthread_t thread;
		switch (i % 4) {
		case 0:
			pthread_create(&thread, &detached, serve, NULL);
			break;
		case 1:
			pthread_detach(thread_start(serve, NULL));
			break;
		case 2:
			thread_start(serve, "detach yourself");
			break;
		default:
			pthread_join(thread_start(serve, NULL), NULL);
		}
	}
	pthread_attr_destroy(&detached);
	thread_start(run_on, NULL);
	while (served < REQUESTS)
		sleep_ms(5);
	sleep_ms(200);
	printf("served %d\n", served);
	return 0;
}
