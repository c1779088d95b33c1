/*
 * A process that may not be traced, because it said so or changed its user, is searched all the same,
 * and is what it was before when that is over.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line ../lib/lose.c lost}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

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
