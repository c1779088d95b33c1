/*
 * A server starts a thread a request and never joins nor detaches any of them:
 * each keeps its stack for ever.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: thread-leak
 * EXPECT: warning thread-leak:
 * EXPECT: thread_leak.c:{{line creates}}
 * EXPECT-JSON: [finding("thread-leak") | .count // 1] | add == 20
 * EXPECT-JSON: finding("thread-leak") | has_frame("created"; "main"; {{line creates}})
 */
#include <stdatomic.h>
#include <stdio.h>

#include "lib/show.h"

#define REQUESTS 20

static atomic_int served;

static void *serve(void *unused)
{
	served++;
	return unused;
}

int main(void)
{
	for (int i = 0; i < REQUESTS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, serve, NULL)) /* line: creates */
			return 1;
	}
	while (served < REQUESTS)
		sleep_ms(5);
	/* They have counted; let them come to their end too. */
	sleep_ms(200);
	printf("served %d\n", served);
	return 0;
}
