/*
 * There is something to report, and no place that takes it: a full device, a pipe
 * whose reader is gone. The program does not notice.
 * Guards: SIGPIPE, SIGXFSZ or an error that a report brings upon the program.
 *
 * RUN: WHOHOLDS_OPTIONS=log=/dev/full LD_PRELOAD=%lib %prog
 * RUN: WHOHOLDS_OPTIONS=log=/none/of/this LD_PRELOAD=%lib %prog
 * RUN: whoholds run -o /dev/full %prog
 * LEAVES: recordings
 * KINDS: held-at-exit
 * EXPECT-STDOUT: went on
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *forgets(void *unused)
{
	pthread_mutex_lock(&lock);
	return unused;
}

int main(void)
{
	int broken[2];

	/* From here on standard error is a pipe that nobody reads. */
	CHECK_EQUAL(pipe(broken), 0);
	dup2(broken[1], 2);
	close(broken[0]);
	close(broken[1]);
	pthread_join(thread_start(forgets, NULL), NULL);
	sleep_ms(300);
	puts("went on");
	return 0;
}
