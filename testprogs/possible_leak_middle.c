/*
 * A ring buffer is given up, but a cursor into it is left behind: the block can't be freed any more, since nobody has its start.
 * Hard because: a pointer into the middle keeps a block alive as any other does, and most such pointers are as they should be.
 *
 * RUN: whoholds run --set possible_leaks=on %prog
 * KINDS: possible-leak
 * EXPECT-JSON: [finding("possible-leak")] | length == 1
 * EXPECT-JSON: finding("possible-leak") | select(.count == 3 and .bytes == 3000 and .indirect_bytes == 600) | has_function("allocated"; "open_ring")
 * EXPECT: 2.9 KiB in 3 blocks that only pointers into the middle lead to, from open_ring
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/lose.h"

struct entry {
	char text[200];
};

struct ring {
	struct entry *entries;
	char room[992];
};

static char *cursors[3];
static struct ring *volatile rings[3];

static __attribute__((noinline)) struct ring *open_ring(void)
{
	struct ring *ring = calloc(1, sizeof *ring);
	ring->entries = calloc(1, sizeof *ring->entries);
	return ring;
}

int main(void)
{
	for (int i = 0; i < 3; i++) {
		rings[i] = open_ring();
		cursors[i] = rings[i]->room + 100 * i;
		rings[i]->room[0] = 1;
#ifndef CLEAN
		rings[i] = NULL;
#endif
	}
	wipe_stack();
	printf("%d\n", cursors[0][0]);
	return 0;
}
