/*
 * Blocks are lost by 4,096 stacks. Nobody reads as many findings: those with the least in them are told together where their stacks
 * begin alike, and none is left out.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 120
 * KINDS: leak
 * EXPECT: places that begin alike, one of them
 * EXPECT: heap 128 KiB in 4,096 blocks
 */
#include "lib/many_ways.h"

int main(void)
{
	lose_by_many_ways();
	return 0;
}
