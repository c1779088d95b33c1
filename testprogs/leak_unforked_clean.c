/*
 * The only pointers to blocks lie in memory that a copy of the process has not got (MADV_DONTFORK, as libraries for RDMA
 * ask for, also of pages of the heap), or has empty (MADV_WIPEONFORK, as keepers of secrets do), and in memory that wants
 * large pages. Looked at while it runs.
 * Guards: a search in a copy of the process that takes what is not there for lost.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include <stdlib.h>

#include "lib/lose.h"
#include "lib/unforked.h"

int main(void)
{
	struct unforked_places places;

	unforked_make(&places);
	for (unsigned i = 0; i < UNFORKED_PLACES; i++)
		unforked_fill(places.at[i]);
	wipe_stack();
	unforked_wait();
	for (unsigned i = 0; i < UNFORKED_PLACES; i++)
		unforked_empty(places.at[i]);
	free(places.at[1]);
	return 0;
}
