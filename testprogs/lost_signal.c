/*
 * A thread is signalled before it waits, and waits for what has happened already
 * without asking whether it has. Nobody holds anything, and no ring can be seen: what tells
 * is that the whole process is asleep and nobody is left to wake it.
 *
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: all 2 threads have waited
 * EXPECT: this lasts for ever
 * EXPECT-NOT: how it came about
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid late}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid late}}; "wait_for_start"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_object("cond"; "{{addr started}}")
 * EXPECT-DUMP: lost_signal.c:{{line waits}}
 * EXPECT-REPORT: lost_signal.c:{{line waits}}
 */
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;

static void wait_for_start(void)
{
	pthread_mutex_lock(&lock);
	pthread_cond_wait(&started, &lock); /* line: waits */
	pthread_mutex_unlock(&lock);
}

static void *late(void *unused)
{
	show_thread("late");
	sleep_ms(100);
	wait_for_start();
	return unused;
}

int main(void)
{
	show_addr("started", &started);
	pthread_t thread = thread_start(late, NULL);
	pthread_mutex_lock(&lock);
	pthread_cond_signal(&started);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	return 0;
}
