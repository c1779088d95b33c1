/* What lock_order_timed and its clean twin share: two locks, and two threads that take them one after the other. */
#ifndef WH_LIB_LOCK_ORDER_TIMED_H
#define WH_LIB_LOCK_ORDER_TIMED_H

#include <stdint.h>
#include <time.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t first_is_done;

/* By either clock. */
static const struct timespec never = { .tv_sec = INT32_MAX };

static int both(void *(*first)(void *), void *(*second)(void *))
{
	pthread_barrier_init(&first_is_done, NULL, 2);
	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}

#endif
