/*
 * queue_ended, put right: the last thing that is sent says that it is the last. The
 * producer takes its time over it.
 *
 * TIMEOUT: 20
 * KINDS: none
 */
#include "lib/chan.h"
#include "lib/show.h"

static struct chan queue = CHAN_INIT;

static void *producer(void *unused)
{
	for (int i = 0; i < 10; i++)
		chan_send(&queue, i);
	sleep_ms(1500);
	chan_send(&queue, -1);
	return unused;
}

static void *receiver(void *unused)
{
	while (chan_recv(&queue) >= 0)
		;
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(producer, NULL), thread_start(receiver, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
