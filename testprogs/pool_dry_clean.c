/*
 * A pool of four cursors that eight threads share: all of them are out all of the time, and come back.
 *
 * RUN: whoholds run --set held=5s --set blocked=5s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include <pthread.h>

#include "lib/show.h"
#include "whoholds.h"

#define CURSORS 4
#define THREADS 8

static struct cursor {
	struct cursor *next;
} cursors[CURSORS];

static struct pool {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct cursor *free;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .returned = PTHREAD_COND_INITIALIZER };

static struct cursor *cursor_get(void)
{
	pthread_mutex_lock(&pool.lock);
	if (!pool.free) {
		wh_wait_begin(&pool, "a cursor of the pool");
		while (!pool.free)
			pthread_cond_wait(&pool.returned, &pool.lock);
		wh_wait_end(&pool);
	}
	struct cursor *cursor = pool.free;
	pool.free = cursor->next;
	wh_acquired_from(&pool, "cursor", cursor, NULL);
	pthread_mutex_unlock(&pool.lock);
	return cursor;
}

static void cursor_put(struct cursor *cursor)
{
	pthread_mutex_lock(&pool.lock);
	wh_released("cursor", cursor);
	cursor->next = pool.free;
	pool.free = cursor;
	pthread_cond_signal(&pool.returned);
	pthread_mutex_unlock(&pool.lock);
}

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

	for (int i = 0; i < CURSORS; i++) {
		cursors[i].next = pool.free;
		pool.free = &cursors[i];
	}
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(works, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
