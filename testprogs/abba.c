/*
 * Two threads take two locks in opposite order, and hang the first time they do.
 *
 * Hard because tools that add the edge of the wait graph once the lock was taken
 * say nothing: neither thread ever comes back from its call.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: "first"
 * EXPECT: "second"
 * EXPECT: abba.c:{{line first waits}}
 * EXPECT: abba.c:{{line second waits}}
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid first}}) and has_thread({{tid second}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid first}}; "take_both"; {{line first waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid first}}; "take_both"; {{line first takes}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid second}}; "take_both_the_other_way"; {{line second waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid second}}; "take_both_the_other_way"; {{line second takes}})
 * EXPECT-JSON: finding("deadlock") | has_object("mutex"; "{{addr a}}") and has_object("mutex"; "{{addr b}}")
 * EXPECT-JSON: finding("deadlock") | .severity == "error"
 * EXPECT-DUMP: abba.c:{{line first waits}}
 * EXPECT-DUMP: abba.c:{{line second takes}}
 * EXPECT-REPORT: abba.c:{{line first waits}}
 */
#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold_one;

static void take_both(void)
{
	pthread_mutex_lock(&a); /* line: first takes */
	pthread_barrier_wait(&both_hold_one);
	pthread_mutex_lock(&b); /* line: first waits */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static void take_both_the_other_way(void)
{
	pthread_mutex_lock(&b); /* line: second takes */
	pthread_barrier_wait(&both_hold_one);
	pthread_mutex_lock(&a); /* line: second waits */
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void *first(void *unused)
{
	show_thread("first");
	take_both();
	return unused;
}

static void *second(void *unused)
{
	show_thread("second");
	take_both_the_other_way();
	return unused;
}

int main(void)
{
	show_addr("a", &a);
	show_addr("b", &b);
	pthread_barrier_init(&both_hold_one, NULL, 2);

	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
