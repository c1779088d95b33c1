/*
 * A program changes who it is while what was found in it is being told and acted upon, which may take long: here for as long as
 * the program has not come back from that.
 * Guards: a hook that waits for whoever tells.
 *
 * RUN: whoholds run --set tick=10ms --set held=100ms --set 'action=exec:touch begun; while [ ! -e over ]; do sleep 0.1; done' %prog
 * KINDS: long-hold
 * EXPECT: holder
 * EXPECT-STDOUT: it came back
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *waits(void *unused)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

int main(void)
{
	show_thread("holder");
	CHECK_EQUAL(chdir(getenv("TMPDIR")), 0);
	pthread_mutex_lock(&lock);
	pthread_t thread = thread_start(waits, NULL);
	while (access("begun", F_OK) != 0)
		sleep_ms(10);
	CHECK_EQUAL(setuid(getuid()), 0);
	CHECK_EQUAL(setgid(getgid()), 0);
	FILE *over = fopen("over", "w");
	CHECK(over);
	fclose(over);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	puts("it came back");
	return 0;
}
