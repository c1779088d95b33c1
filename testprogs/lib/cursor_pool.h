/*
 * A pool of four cursors: one that is asked for when all are gone is waited for.
 */
#ifndef TESTPROGS_CURSOR_POOL_H
#define TESTPROGS_CURSOR_POOL_H

#include <pthread.h>

#include "lib/show.h"
#include "whoholds.h"

#define CURSORS 4

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
			pthread_cond_wait(&pool.returned, &pool.lock); /* line: waits */
		wh_wait_end(&pool);
	}
	struct cursor *cursor = pool.free;
	pool.free = cursor->next;
	wh_acquired_from(&pool, "cursor", cursor, NULL); /* line: acquires */
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

static void pool_fill(void)
{
	for (int i = 0; i < CURSORS; i++) {
		cursors[i].next = pool.free;
		pool.free = &cursors[i];
	}
}

#endif
