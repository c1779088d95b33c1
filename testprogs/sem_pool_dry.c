/*
 * A semaphore counts the free connections of a pool. A function that takes one returns early where it has nothing to
 * send, and does not give it back; when all are gone, everybody waits.
 *
 * Hard because a semaphore has no owner: who has taken it last may be anybody.
 *
 * HANGS: yes
 * TIMEOUT: 30
 * KINDS: deadlock
 * EXPECT: error deadlock: all 3 threads have waited
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid sends-1}}; "send_message"; {{line takes}}) and has_frame_of("waits"; {{tid sends-2}}; "send_message"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | has_object("sem"; "{{addr connections}}")
 * EXPECT-REPORT: sem_pool_dry.c:{{line takes}}
 */
#include <semaphore.h>

#include "lib/show.h"

#define CONNECTIONS 4

static sem_t connections;

static int send_message(int bytes)
{
	sem_wait(&connections); /* line: takes */
	if (bytes == 0)
		return -1;
	sleep_ms(1);
	sem_post(&connections);
	return bytes;
}

static void *sends(void *name)
{
	show_thread(name);
	for (int i = 1; i <= 100; i++)
		send_message(i % 10);
	return NULL;
}

int main(void)
{
	show_addr("connections", &connections);
	sem_init(&connections, 0, CONNECTIONS);
	pthread_t threads[] = { thread_start(sends, "sends-1"), thread_start(sends, "sends-2") };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
