/*
 * Reads of nothing from no stream, which libc answers without a look at it; before and after anything was read.
 * Guards: hooks of fgets and fread that look into the stream first.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <stdio.h>

#include "lib/check.h"

static FILE *none(void)
{
	FILE *volatile stream = NULL;
	return stream;
}

static void read_nothing(void)
{
	char line[4] = "";
	char *volatile into = line;
	volatile size_t bytes = 0;
	volatile int room = 0;
	CHECK(fread(into, bytes, bytes, none()) == 0);
	CHECK(fgets(into, room, none()) == NULL);
}

int main(void)
{
	read_nothing();
	char line[64];
	FILE *own = fopen("/proc/self/comm", "r");
	CHECK(own && fgets(line, sizeof line, own));
	fclose(own);
	read_nothing();
	return 0;
}
