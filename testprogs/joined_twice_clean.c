/*
 * joined_twice, put right: each thread is joined or detached once, though the next one gets the pthread_t of the one
 * before; and calls that were refused for a while are made again.
 *
 * KINDS: none
 * EXPECT-STDOUT: the same name 8 times
 */
#include <errno.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

#include "lib/show.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_t waits_for;

static void *waits(void *unused)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return unused;
}

static void *ends(void *unused)
{
	return unused;
}

static int ends_c11(void *unused)
{
	(void)unused;
	return 3;
}

static void *detaches_itself(void *unused)
{
	pthread_detach(pthread_self());
	return unused;
}

static void *joins_other(void *unused)
{
	pthread_join(waits_for, NULL);
	return unused;
}

int main(void)
{
	pthread_t last = 0;
	int same = 0;

	for (int i = 0; i < 9; i++) {
		pthread_t thread = thread_start(ends, NULL);
		pthread_join(thread, NULL);
		same += thread == last;
		last = thread;
	}
	printf("the same name %d times\n", same);

	pthread_mutex_lock(&gate);
	pthread_t thread = thread_start(waits, NULL);
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	if (pthread_tryjoin_np(thread, NULL) != EBUSY ||
	    pthread_timedjoin_np(thread, NULL, &soon) != ETIMEDOUT)
		return 1;
	pthread_mutex_unlock(&gate);
	waits_for = thread;
	pthread_join(thread_start(joins_other, NULL), NULL);

	for (int i = 0; i < 4; i++) {
		thread_start(detaches_itself, NULL);
		pthread_detach(thread_start(ends, NULL));
	}
	thrd_t c11;
	int status;
	if (thrd_create(&c11, ends_c11, NULL) != thrd_success || thrd_join(c11, &status) != thrd_success ||
	    thrd_create(&c11, ends_c11, NULL) != thrd_success || thrd_detach(c11) != thrd_success)
		return 1;
	return 0;
}
