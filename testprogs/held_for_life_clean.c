/*
 * held_for_life, put right: the same locks, given back at the very end.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include "lib/check.h"
#include "lib/life.h"
#include "lib/show.h"

static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER, wanted = PTHREAD_MUTEX_INITIALIZER;

static void *want(void *unused)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 10);
	CHECK_EQUAL(pthread_mutex_timedlock(&wanted, &until), ETIMEDOUT);
	return unused;
}

int main(void)
{
	pthread_mutex_lock(&alone);
	pthread_mutex_lock(&wanted);
	pthread_join(thread_start(want, NULL), NULL);
	live_long();
	pthread_mutex_unlock(&wanted);
	pthread_mutex_unlock(&alone);
	return 0;
}
