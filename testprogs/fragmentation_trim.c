/*
 * The C library gives the kernel nothing back from the middle of a heap by itself, however much of it
 * is free; with trim=on the program does so at its next allocation, and the trouble is over.
 *
 * RUN: whoholds run --set "fragmentation=400% in 2s" --set trim=on %prog
 * TIMEOUT: 60
 * KINDS: fragmentation
 * TWIN: fragmentation_clean
 * EXPECT-STDOUT: trimmed
 * EXPECT: the heap kept
 * EXPECT-JSON: finding("fragmentation") | .resolved_after_s != null
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"

#define BLOCKS 100000
#define BYTES 1000

static void *blocks[BLOCKS];
static void *last;
static void *volatile scratch;

static size_t resident_pages(void)
{
	size_t all = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%zu %zu", &all, &resident) != 2)
		exit(1);
	fclose(file);
	return resident;
}

int main(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(BYTES);
		if (!blocks[i])
			return 1;
		memset(blocks[i], 'x', BYTES);
	}
	/* Keeps the end of the heap where it is. */
	last = malloc(100);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	size_t before = resident_pages();
	for (int i = 0; i < 800; i++) {
		scratch = malloc(5000);
		free(scratch);
		sleep_ms(10);
	}
	puts(last && resident_pages() < before / 2 ? "trimmed" : "still there");
	return 0;
}
