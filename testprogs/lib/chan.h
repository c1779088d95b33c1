/*
 * A bounded queue of integers between threads: a mutex and two conditions, as
 * every program has one. chan_recv blocks until somebody sends.
 */
#ifndef TESTPROGS_CHAN_H
#define TESTPROGS_CHAN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define CHAN_SIZE 8

struct chan {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t emptied;
	int items[CHAN_SIZE];
	size_t first, count;
};

#define CHAN_INIT \
	{ \
		.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER, \
		.emptied = PTHREAD_COND_INITIALIZER \
	}

void chan_send(struct chan *chan, int item);
int chan_recv(struct chan *chan);

/* Return: false where nothing came within `timeout_ms`. */
bool chan_recv_timeout(struct chan *chan, int timeout_ms, int *ret_item);

#endif
