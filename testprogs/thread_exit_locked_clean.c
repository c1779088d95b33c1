/*
 * thread_exit_locked, put right; the thread leaves by pthread_exit, by return
 * and by cancellation in a condition wait, whose cleanup gives the lock back.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int value;

static int update(int by)
{
	int result = -1;

	pthread_mutex_lock(&state);
	if (by >= 0) {
		value += by;
		result = 0;
	}
	pthread_mutex_unlock(&state);
	return result;
}

static void *returns(void *unused)
{
	update(1);
	update(-1);
	return unused;
}

static void *exits(void *unused)
{
	update(2);
	pthread_exit(unused);
}

static void unlock(void *lock)
{
	pthread_mutex_unlock(lock);
}

static void *waits_for_ever(void *unused)
{
	pthread_mutex_lock(&state);
	pthread_cleanup_push(unlock, &state);
	while (value >= 0)
		pthread_cond_wait(&changed, &state);
	pthread_cleanup_pop(1);
	return unused;
}

int main(void)
{
	pthread_t cancelled = thread_start(waits_for_ever, NULL);
	pthread_t threads[] = { thread_start(returns, NULL), thread_start(exits, NULL) };

	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	sleep_ms(50);
	pthread_cancel(cancelled);
	pthread_join(cancelled, NULL);
	printf("value %d\n", value);
	return 0;
}
