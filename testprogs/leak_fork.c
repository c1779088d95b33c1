/*
 * A child that was forked loses blocks of its own; what it has from its parent, it has by
 * pointers in blocks that nobody told it of.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * TWIN: leak_three_clean
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lost}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void ***kept;

static __attribute__((noinline)) void lose(void)
{
	for (int i = 0; i < 5; i++)
		*(volatile char *)malloc(1000) = 'x'; /* line: lost */
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

int main(void)
{
	kept = malloc(sizeof *kept);
	*kept = malloc(sizeof **kept);
	pid_t child = fork();
	if (child == 0) {
		/* The only pointer to it is in a block of the parent's. */
		**kept = malloc(2000);
		lose();
		wipe_stack();
		exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	**kept = NULL;
	return WEXITSTATUS(status);
}
