/* A thread for each request, for thread_growth and its twin. */
#ifndef TESTPROGS_REQUESTS_H
#define TESTPROGS_REQUESTS_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/show.h"

#define REQUESTS_MOST 100
#define REQUEST_EVERY_MS 40

static pthread_t requests[REQUESTS_MOST];
static int unanswered;
static pthread_rwlock_t answer = PTHREAD_RWLOCK_INITIALIZER; /* held for writing until the end */

static void *serve(void *waits)
{
	if (waits) {
		pthread_rwlock_rdlock(&answer);
		pthread_rwlock_unlock(&answer);
	}
	return NULL;
}

static __attribute__((noinline)) void accept_loop(int count, bool answered)
{
	for (int i = 0; i < count; i++) {
		requests[unanswered] = thread_start(serve, answered ? NULL : &answer); /* line: request */
		if (answered)
			pthread_join(requests[unanswered], NULL);
		else
			unanswered++;
		sleep_ms(REQUEST_EVERY_MS);
	}
}

static void requests_begin(void)
{
	pthread_rwlock_wrlock(&answer);
	sleep_ms(200);
}

static void requests_end(void)
{
	pthread_rwlock_unlock(&answer);
	while (unanswered > 0)
		pthread_join(requests[--unanswered], NULL);
}

#endif
