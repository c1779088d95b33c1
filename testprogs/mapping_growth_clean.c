/*
 * mapping_growth, put right: a queue of mappings that breathes, each unmapped when its turn has come; beside it a large one
 * from the start.
 *
 * RUN: whoholds run --set mappings=on --set growth=3s --set tick=20ms --set "rss_growth=10MB/s for 2s" %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/show.h"

#define PIECE ((size_t)256 * 1024)
#define QUEUED 40
#define RATE 40e6
#define SECONDS 5.0

static void *queue[QUEUED], *table;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *take(size_t bytes)
{
	void *made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED)
		exit(1);
	memset(made, 'x', bytes);
	return made;
}

int main(void)
{
	double begin = now_s(), taken = 0;
	unsigned number = 0;

	table = take(16 * PIECE);
	for (double passed; (passed = now_s() - begin) < SECONDS; sleep_ms(5)) {
		while (taken < passed * RATE) {
			unsigned at = number++ % QUEUED;

			if (queue[at])
				munmap(queue[at], PIECE);
			queue[at] = take(PIECE);
			taken += PIECE;
		}
	}
	puts(table ? "mapped" : "?");
	return 0;
}
