/*
 * long_scan, put right: the lock is taken for a piece at a time. Also: a lock
 * held for long that nobody waits for is nobody's trouble.
 *
 * RUN: whoholds run --set held=500ms --set tick=50ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

#define PIECES 40

static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t private_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned pieces, requests;

static void *scanner(void *unused)
{
	pthread_mutex_lock(&private_lock);
	for (int i = 0; i < PIECES; i++) {
		pthread_mutex_lock(&index_lock);
		sleep_ms(30);
		pieces++;
		pthread_mutex_unlock(&index_lock);
		sleep_ms(1);
	}
	pthread_mutex_unlock(&private_lock);
	return unused;
}

static void *client(void *unused)
{
	for (int i = 0; i < PIECES; i++) {
		pthread_mutex_lock(&index_lock);
		requests++;
		pthread_mutex_unlock(&index_lock);
		sleep_ms(10);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(scanner, NULL), thread_start(client, NULL) };

	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("%u pieces, %u requests\n", pieces, requests);
	return 0;
}
