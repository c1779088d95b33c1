/*
 * Five hundred threads on small stacks, most of them blocked, are stopped and let go.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line ../lib/lose.c lost}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

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
