/*
 * Ten iterations, each of which allocates 100,000 bytes, gives half of them back and sleeps; every one is recorded
 * whole. testprogs/cli/trace.sh looks at what is recorded.
 *
 * RUN: whoholds run --set spans=100% %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"
#include "whoholds.h"

#define ROUNDS 10
#define BLOCKS 100

static char *blocks[ROUNDS][BLOCKS];

static void scan(int round)
{
	int iterator;

	wh_iter_open(blocks, &iterator, "users");
	for (int i = 0; i < BLOCKS; i++)
		blocks[round][i] = strncpy(malloc(1000), "user", 1000);
	sleep_ms(150);
	for (int i = 0; i < BLOCKS / 2; i++)
		free(blocks[round][i]);
	wh_iter_close(&iterator);
}

int main(void)
{
	for (int round = 0; round < ROUNDS; round++)
		scan(round);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = BLOCKS / 2; i < BLOCKS; i++)
			free(blocks[round][i]);
	return 0;
}
