/*
 * A program that does nothing but allocate, from deep stacks that change all the time: recording that takes more of its CPU time than
 * the option allows, so that it is sampled from then on, and the report says so.
 * Hard because: the cost has to be known without measuring each call.
 *
 * RUN: whoholds run -v --set max_overhead=2% %prog
 * TIMEOUT: 120
 * KINDS: none
 * EXPECT: max_overhead was reached
 * EXPECT-STDOUT: allocated
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned long sum;

static __attribute__((noinline)) void allocate(unsigned path, int depth)
{
	volatile char here[64];
	here[0] = (char)path;
	if (depth) {
		/* Two ways down: each path has a stack of its own. */
		if (path >> depth & 1)
			allocate(path, depth - 1);
		else
			allocate(path, depth - 1);
	} else {
		free(malloc(path % 500 + 1));
	}
	sum += (unsigned long)here[0];
}

int main(void)
{
	/* CPU time: on a busy machine it takes longer. */
	clock_t until = clock() + 2 * CLOCKS_PER_SEC;
	for (unsigned path = 1; clock() < until; path++)
		for (int i = 0; i < 100; i++)
			allocate(path * 2654435761u + (unsigned)i, 30);
	puts("allocated");
	return sum == 1;
}
