/* A worker and its queue of orders, for blocked_idle and its twin. */
#ifndef TESTPROGS_IDLE_WORKER_H
#define TESTPROGS_IDLE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/show.h"

static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t orders_ready = PTHREAD_COND_INITIALIZER;
static int orders;
static bool closed;
static pthread_t worker;

/* Return: whether there was one, and not the end. */
static __attribute__((noinline)) bool next_order(void)
{
	pthread_mutex_lock(&orders_lock);
	while (!orders && !closed)
		pthread_cond_wait(&orders_ready, &orders_lock); /* line: waits */
	bool got = orders > 0;
	orders -= got;
	pthread_mutex_unlock(&orders_lock);
	return got;
}

static void *work(void *unused)
{
	while (next_order())
		continue;
	return unused;
}

static void order_give(bool real)
{
	pthread_mutex_lock(&orders_lock);
	orders += real;
	closed |= !real;
	pthread_cond_signal(&orders_ready);
	pthread_mutex_unlock(&orders_lock);
}

static void worker_start(void)
{
	worker = thread_start(work, NULL);
}

static void worker_end(void)
{
	pthread_join(worker, NULL);
}

#endif
