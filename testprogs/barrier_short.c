/*
 * A barrier made for three threads, and two that come to it: one was never made.
 *
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: all 2 threads have waited
 * EXPECT: (2 of 3 have come)
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid second}}; "meet"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_object("barrier"; "{{addr all_here}}")
 * EXPECT-REPORT: barrier_short.c:{{line waits}}
 */
#include "lib/show.h"

static pthread_barrier_t all_here;

static void meet(void)
{
	pthread_barrier_wait(&all_here); /* line: waits */
}

static void *second(void *unused)
{
	show_thread("second");
	meet();
	return unused;
}

int main(void)
{
	show_addr("all_here", &all_here);
	pthread_barrier_init(&all_here, NULL, 3);
	pthread_t thread = thread_start(second, NULL);
	meet();
	pthread_join(thread, NULL);
	return 0;
}
