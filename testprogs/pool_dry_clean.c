/*
 * A pool of four cursors that eight threads share: all of them are out all of the time, and come back.
 *
 * RUN: whoholds run --set held=5s --set blocked=5s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include "lib/cursor_pool.h"

#define THREADS 8

static void *works(void *unused)
{
	for (int i = 0; i < 100; i++) {
		struct cursor *cursor = cursor_get();
		sleep_ms(5);
		cursor_put(cursor);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	pool_fill();
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(works, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
