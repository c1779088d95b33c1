/*
 * The first thread has ended long before the process does, and /proc/self with it: its maps are empty.
 * Another thread ends the process.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-STATUS: 7
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line ../lib/lose.c lost}})
 */
#include <stdlib.h>

#include "lib/lose.h"
#include "lib/show.h"

static void *volatile kept;

static void *end(void *unused)
{
	sleep_ms(50);
	lose();
	wipe_stack();
	exit(7);
	return unused;
}

int main(void)
{
	kept = malloc(3000);
	pthread_detach(pthread_self());
	pthread_detach(thread_start(sleep_on, NULL));
	pthread_detach(thread_start(end, NULL));
	pthread_exit(NULL);
}
