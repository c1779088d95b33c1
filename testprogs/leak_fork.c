/*
 * A child that was forked loses blocks of its own; what it has from its parent, it has by
 * pointers in blocks that nobody told it of.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * TWIN: leak_three_clean
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lib/lose.c lost}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lose.h"

static void ***kept;

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
