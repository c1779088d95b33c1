/*
 * A program changes its environment, which lies in memory that it unmaps at once, while it is told about: whoever starts the command
 * for that passes the environment on.
 * Guards: an array that is not there any more when the reporter thread reads it.
 *
 * RUN: LD_PRELOAD=%lib WHOHOLDS_OPTIONS=log=%dir/log %prog
 * KINDS: none
 * EXPECT-STDOUT: every report was asked for
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <whoholds.h>

#include "lib/check.h"
#include "lib/show.h"

#define VARIABLES 20000u
#define REPORTS 25u

static bool over;

static void *changes(void *unused)
{
	const size_t bytes = (VARIABLES + 1) * sizeof(char *);
	char **before = environ;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		char **made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(made != MAP_FAILED);
		for (size_t i = 0; i < VARIABLES; i++)
			made[i] = (char *)"NAME=value";
		environ = made;
		sleep_ms(1);
		environ = before;
		munmap(made, bytes);
	}
	return unused;
}

int main(void)
{
	pthread_t thread = thread_start(changes, NULL);
	for (unsigned i = 0; i < REPORTS; i++)
		wh_report("how it stands");
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	puts("every report was asked for");
	return 0;
}
