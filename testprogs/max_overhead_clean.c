/*
 * The twin of max_overhead: it computes, and allocates now and then, which costs next to nothing; so every block is
 * recorded to the end.
 *
 * RUN: whoholds run -v --set max_overhead=20% %prog
 * TIMEOUT: 120
 * KINDS: none
 * EXPECT-NOT: max_overhead was reached
 * EXPECT-STDOUT: computed
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile double value = 1;

int main(void)
{
	clock_t until = clock() + 2 * CLOCKS_PER_SEC;
	while (clock() < until) {
		free(malloc(100));
		for (int i = 0; i < 20000; i++)
			value = value * 1.0000001 + 1e-9;
	}
	puts("computed");
	return 0;
}
