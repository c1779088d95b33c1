/*
 * A thread takes a lock that it holds already, by way of a helper that locks too.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: self_deadlock.c:{{line waits}}
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 1 and has_thread({{tid lonely}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "append"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "append_twice"; {{line calls}})
 * EXPECT-JSON: finding("deadlock") | has_frame("acquired"; "append_twice"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | has_object("mutex"; "{{addr lock}}")
 * EXPECT-DUMP: self_deadlock.c:{{line waits}}
 * EXPECT-REPORT: self_deadlock.c:{{line takes}}
 */
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int entries;

static void append(void)
{
	pthread_mutex_lock(&lock); /* line: waits */
	entries++;
	pthread_mutex_unlock(&lock);
}

static void append_twice(void)
{
	pthread_mutex_lock(&lock); /* line: takes */
	append();                  /* line: calls */
	append();
	pthread_mutex_unlock(&lock);
}

static void *lonely(void *unused)
{
	show_thread("lonely");
	append_twice();
	return unused;
}

int main(void)
{
	show_addr("lock", &lock);
	pthread_join(thread_start(lonely, NULL), NULL);
	return 0;
}
