/*
 * A lock held over a long scan: the holder works all the time, nothing is wrong
 * with it but that everybody waits.
 *
 * Hard because the holder is not blocked: where it is now has to be looked up
 * from outside of it, and it comes to its end, which has to be told as well.
 *
 * RUN: whoholds run --set held=500ms --set tick=50ms %prog
 * TIMEOUT: 20
 * KINDS: long-hold
 * EXPECT: warning long-hold:
 * EXPECT: "scanner"
 * EXPECT: "client"
 * EXPECT: resolved
 * EXPECT-JSON: finding("long-hold") | has_thread({{tid scanner}}) and has_thread({{tid client}})
 * EXPECT-JSON: finding("long-hold") | has_frame("acquired"; "scan"; {{line takes}})
 * EXPECT-JSON: finding("long-hold") | has_object("mutex"; "{{addr index}}")
 * EXPECT-JSON: finding("long-hold") | .severity == "warning" and .since_s >= 0.5
 * EXPECT-JSON: finding("long-hold") | ._report.trigger == "threshold"
 */
#include <stdio.h>
#include <time.h>

#include "lib/show.h"

#define ENTRIES 4096

static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t begun;
static volatile unsigned entries[ENTRIES];

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void scan(double seconds)
{
	pthread_mutex_lock(&index_lock); /* line: takes */
	pthread_barrier_wait(&begun);
	double end = now_s() + seconds;
	while (now_s() < end)
		for (int i = 0; i < ENTRIES; i++)
			entries[i] = entries[i] * 31 + 1;
	pthread_mutex_unlock(&index_lock);
}

static void *scanner(void *unused)
{
	show_thread("scanner");
	scan(2.0);
	return unused;
}

static void *client(void *unused)
{
	show_thread("client");
	pthread_barrier_wait(&begun);
	pthread_mutex_lock(&index_lock);
	entries[0]++;
	pthread_mutex_unlock(&index_lock);
	return unused;
}

int main(void)
{
	show_addr("index", &index_lock);
	pthread_barrier_init(&begun, NULL, 2);

	pthread_t threads[] = { thread_start(scanner, NULL), thread_start(client, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	/* Time for the reporter to see that it is over. */
	sleep_ms(300);
	return 0;
}
