/*
 * As leak_unforked_clean, but what was in the table that a copy of the process has not got is lost: the table is emptied,
 * its blocks are not freed.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | select(.bytes == 400 and .count == 4) | has_frame("allocated"; "unforked_fill"; {{line lib/unforked.h fill}})
 */
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"
#include "lib/unforked.h"

int main(void)
{
	struct unforked_places places;

	unforked_make(&places);
	for (unsigned i = 0; i < UNFORKED_PLACES; i++)
		unforked_fill(places.at[i]);
	memset(places.at[0], 0, UNFORKED_BLOCKS * sizeof(void *));
	wipe_stack();
	unforked_wait();
	for (unsigned i = 1; i < UNFORKED_PLACES; i++)
		unforked_empty(places.at[i]);
	free(places.at[1]);
	return 0;
}
