/*
 * Five hundred threads on small stacks, most of them blocked, are stopped and let go.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lost}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/show.h"

static void *sleep_on(void *unused)
{
	void *volatile own = malloc(500);
	for (;;)
		pause();
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
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (int i = 0; i < 500; i++)
		if (pthread_create(&thread, &small, sleep_on, NULL) != 0) {
			puts("not enough threads here");
			return 77;
		}
	pthread_attr_destroy(&small);
	sleep_ms(100);
	lose();
	wipe_stack();
	return 0;
}
