/*
 * A program takes a lock first thing, has it for all of its life, and ends with it; nobody else was ever there to want it, as with an
 * interpreter's lock. Another one it has for as long, but a thread has tried to get it; a third was taken twice.
 * Hard because: only the first is as it was meant, and nothing says so but how it was used.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 60
 * KINDS: held-at-exit
 * EXPECT-JSON: [finding("held-at-exit")] | length == 3
 * EXPECT-JSON: finding("held-at-exit") | select(.severity == "warning") | has_frame("acquired"; "main"; {{line alone}})
 * EXPECT-JSON: finding("held-at-exit") | select(.severity == "error") | has_frame("acquired"; "main"; {{line wanted}})
 * EXPECT-JSON: finding("held-at-exit") | select(.severity == "error") | has_frame("acquired"; "main"; {{line again}})
 * EXPECT: held mutex alone until the process ended, and nobody else ever wanted it
 */
#include "lib/check.h"
#include "lib/life.h"
#include "lib/show.h"

static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER, wanted = PTHREAD_MUTEX_INITIALIZER,
		       again = PTHREAD_MUTEX_INITIALIZER;

static void *want(void *unused)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 10);
	CHECK_EQUAL(pthread_mutex_timedlock(&wanted, &until), ETIMEDOUT);
	return unused;
}

int main(void)
{
	pthread_mutex_lock(&alone);  /* line: alone */
	pthread_mutex_lock(&wanted); /* line: wanted */
	pthread_mutex_lock(&again);
	pthread_mutex_unlock(&again);
	pthread_mutex_lock(&again); /* line: again */
	pthread_join(thread_start(want, NULL), NULL);
	live_long();
	return 0;
}
