/*
 * One place that allocates, which is come to by 4,096 ways: as many call stacks.
 */
#ifndef TESTPROGS_MANY_WAYS_H
#define TESTPROGS_MANY_WAYS_H

#include <stdlib.h>

#include "lib/lose.h"

#define WAYS 4096u
#define TURNS 12u /* 2 to the power of which that is */

__attribute__((noinline)) static void turn_left(unsigned turns, unsigned ways);

__attribute__((noinline)) static void lose_one(void)
{
	static char *volatile block;
	block = malloc(32);
	block[0] = 1;
	block = NULL;
}

__attribute__((noinline)) static void turn_right(unsigned turns, unsigned ways)
{
	if (!turns)
		lose_one();
	else if (ways & 1)
		turn_left(turns - 1, ways / 2);
	else
		turn_right(turns - 1, ways / 2);
}

__attribute__((noinline)) static void turn_left(unsigned turns, unsigned ways)
{
	if (!turns)
		lose_one();
	else if (ways & 1)
		turn_left(turns - 1, ways / 2);
	else
		turn_right(turns - 1, ways / 2);
}

/* Loses a block at the end of each way. */
static void lose_by_many_ways(void)
{
	for (unsigned ways = 0; ways < WAYS; ways++)
		turn_left(TURNS, ways);
	wipe_stack();
}

#endif
