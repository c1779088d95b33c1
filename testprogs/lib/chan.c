#include "chan.h"

#include <errno.h>
#include <time.h>

void chan_send(struct chan *chan, int item)
{
	pthread_mutex_lock(&chan->lock);
	while (chan->count == CHAN_SIZE)
		pthread_cond_wait(&chan->emptied, &chan->lock);
	chan->items[(chan->first + chan->count) % CHAN_SIZE] = item;
	chan->count++;
	pthread_cond_signal(&chan->filled);
	pthread_mutex_unlock(&chan->lock);
}

static int take(struct chan *chan)
{
	int item = chan->items[chan->first];

	chan->first = (chan->first + 1) % CHAN_SIZE;
	chan->count--;
	pthread_cond_signal(&chan->emptied);
	return item;
}

int chan_recv(struct chan *chan)
{
	pthread_mutex_lock(&chan->lock);
	while (chan->count == 0)
		pthread_cond_wait(&chan->filled, &chan->lock); /* line: chan_recv waits */
	int item = take(chan);
	pthread_mutex_unlock(&chan->lock);
	return item;
}

bool chan_recv_timeout(struct chan *chan, int timeout_ms, int *ret_item)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}

	pthread_mutex_lock(&chan->lock);
	int error = 0;
	while (chan->count == 0 && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&chan->filled, &chan->lock, &until);
	bool came = chan->count != 0;
	if (came)
		*ret_item = take(chan);
	pthread_mutex_unlock(&chan->lock);
	return came;
}
