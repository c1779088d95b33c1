/*
 * A process that may not be traced, because it said so or changed its user, is searched all the same,
 * and is what it was before when that is over.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lost}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/show.h"

static void *sleep_on(void *unused)
{
	void *volatile own = malloc(2000);
	for (;;)
		sleep_ms(1000);
	(void)own;
	return unused;
}

static __attribute__((noinline)) void lose(void)
{
	for (int i = 0; i < 5; i++)
		*(volatile char *)malloc(1000) = 'x'; /* line: lost */
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		thread_start(sleep_on, NULL);
	sleep_ms(20);
	prctl(PR_SET_DUMPABLE, 0);
	lose();
	wipe_stack();
	return 0;
}
