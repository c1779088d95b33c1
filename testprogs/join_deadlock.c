/*
 * A thread joins another with a lock held that the other needs to come to its end.
 *
 * Hard because one of the two edges is not a lock at all.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: "worker"
 * EXPECT: pthread_join
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid boss}}) and has_thread({{tid worker}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid boss}}; "stop_worker"; {{line joins}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid boss}}; "stop_worker"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid worker}}; "finish"; {{line needs}})
 * EXPECT-JSON: finding("deadlock") | has_object("mutex"; "{{addr state}}")
 * EXPECT-DUMP: join_deadlock.c:{{line joins}}
 * EXPECT-REPORT: join_deadlock.c:{{line needs}}
 */
#include "lib/show.h"

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;
static int finished;

static void finish(void)
{
	pthread_mutex_lock(&state); /* line: needs */
	finished = 1;
	pthread_mutex_unlock(&state);
}

static void *worker(void *unused)
{
	show_thread("worker");
	sleep_ms(100);
	finish();
	return unused;
}

static void stop_worker(pthread_t thread)
{
	pthread_mutex_lock(&state); /* line: takes */
	pthread_join(thread, NULL); /* line: joins */
	pthread_mutex_unlock(&state);
}

static void *boss(void *unused)
{
	show_thread("boss");
	stop_worker(thread_start(worker, NULL));
	return unused;
}

int main(void)
{
	show_addr("state", &state);
	pthread_join(thread_start(boss, NULL), NULL);
	return finished ? 0 : 1;
}
