/*
 * A thread sleeps with a lock held and nobody waits for it yet: it is stuck all
 * the same. It wakes up after a while, and that is told too.
 *
 * RUN: whoholds run --set blocked=500ms %prog
 * TIMEOUT: 20
 * TWIN: stuck_holder_read_clean
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder:
 * EXPECT: "sleeper"
 * EXPECT: resolved
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["sleeper"]
 * EXPECT-JSON: finding("stuck-holder") | has_frame("acquired"; "nap"; {{line takes}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame("blocked"; "nap"; {{line sleeps}})
 * EXPECT-JSON: finding("stuck-holder") | has_object("mutex"; "{{addr bed}}")
 */
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;

static void nap(void)
{
	pthread_mutex_lock(&bed); /* line: takes */
	sleep(2);                 /* line: sleeps */
	pthread_mutex_unlock(&bed);
}

static void *sleeper(void *unused)
{
	show_thread("sleeper");
	nap();
	return unused;
}

int main(void)
{
	show_addr("bed", &bed);
	pthread_join(thread_start(sleeper, NULL), NULL);
	/* Time for the reporter to see that it is over. */
	sleep_ms(500);
	return 0;
}
