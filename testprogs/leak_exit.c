/*
 * A process that ends by _exit loses as much as any other.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * TWIN: leak_three_clean
 * KINDS: leak
 * EXPECT-STATUS: 3
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lib/lose.c lost}})
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lose.h"

int main(void)
{
	/* Kept on main's stack, which _exit leaves as it is. */
	void *volatile kept = malloc(2000);
	lose();
	wipe_stack();
	_exit(kept ? 3 : 4);
}
