/*
 * The producer of a queue has sent what it had and ended, without closing the queue;
 * the receiver goes on waiting for more, and main for the receiver.
 *
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: all 2 threads have waited
 * EXPECT: receive_all
 * EXPECT-JSON: finding("deadlock") | has_thread({{tid receiver}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid receiver}}; "receive_all"; {{line receives}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "main"; {{line joins}})
 * EXPECT: "producer" (ended
 * EXPECT: , 10 times in all, in
 * EXPECT: producer              queue_ended.c:{{line sends}}
 * EXPECT-DUMP: "producer" (ended
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .kind == "cond" and .signalled.thread_name == "producer" and .signalled.thread_state == "ended" and .signalled.count == 10 and .signalled.op == "pthread_cond_signal"
 * EXPECT-REPORT: "producer" (ended
 * EXPECT-REPORT: queue_ended.c:{{line receives}}
 */
#include "lib/chan.h"
#include "lib/show.h"

static struct chan queue = CHAN_INIT;

static void receive_all(void)
{
	while (chan_recv(&queue) >= 0) /* line: receives */
		;
}

static void *producer(void *unused)
{
	show_thread("producer");
	for (int i = 0; i < 10; i++)
		chan_send(&queue, i); /* line: sends */
	return unused;                /* and never says that this was all */
}

static void *receiver(void *unused)
{
	show_thread("receiver");
	receive_all();
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(producer, NULL), thread_start(receiver, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL); /* line: joins */
	return 0;
}
