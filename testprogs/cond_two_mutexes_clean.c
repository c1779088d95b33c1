/*
 * cond_two_mutexes, put right: one mutex at a time. The condition is used with the other one when nobody sleeps in
 * it any more; one that was woken from it may still wait for its own mutex, for as long as somebody has that.
 * And one is destroyed just after its sleepers were woken, as POSIX allows.
 *
 * TIMEOUT: 40
 * KINDS: none
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t orders = PTHREAD_MUTEX_INITIALIZER, bills = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asleep, go_on;

static void *awaits_orders(void *unused)
{
	pthread_mutex_lock(&orders);
	asleep++;
	while (!go_on)
		pthread_cond_wait(&changed, &orders);
	pthread_mutex_unlock(&orders);
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(awaits_orders, NULL), thread_start(awaits_orders, NULL) };

	for (int all = 0; !all;) {
		sleep_ms(5);
		pthread_mutex_lock(&orders);
		all = asleep == 2;
		if (!all)
			pthread_mutex_unlock(&orders);
	}
	go_on = 1;
	pthread_cond_broadcast(&changed);
	/* They are awake, and wait for the mutex, which we keep. */
	pthread_mutex_lock(&bills);
	struct timespec until = check_in_ms(CLOCK_REALTIME, 2500);
	int result = pthread_cond_timedwait(&changed, &bills, &until);
	pthread_mutex_unlock(&bills);
	pthread_cond_destroy(&changed);
	pthread_mutex_unlock(&orders);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	puts(result == ETIMEDOUT ? "timed out" : "woken");
	return 0;
}
