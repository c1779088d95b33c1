/*
 * What is on the stack of a function that calls exit is not lost: forty blocks, the first of which a register may hold alone.
 *
 * RUN: whoholds run %prog
 * RUN: whoholds run %prog deep
 * KINDS: none
 * BUILD: -O2
 */
#include <stdio.h>
#include <stdlib.h>

static __attribute__((noinline)) void leave(char **kept, char *alone, int depth)
{
	char *more = malloc(200);
	more[0] = alone[0];
	if (depth)
		leave(kept, more, depth - 1);
	if (more[0] == alone[0])
		exit(0);
	puts(more);
	puts(kept[1]);
	puts(alone);
}

int main(int argc, char **argv)
{
	char *kept[40];
	for (int i = 0; i < 40; i++) {
		kept[i] = malloc(100);
		kept[i][0] = argv[0][0];
	}
	leave(kept, kept[0], argc > 1 ? 100 : 0);
	for (int i = 0; i < 40; i++)
		puts(kept[i]);
	return 0;
}
