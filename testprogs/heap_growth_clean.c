/*
 * heap_growth, put right: the cache has a limit. As much is allocated, and as fast.
 * Growing fast for a moment, to the limit, is no growth either.
 *
 * RUN: whoholds run --set "heap_growth=50MB/s for 2s" %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/show.h"

#define ENTRY_BYTES (150 * 1000)
#define RATE (60.0 * 1000 * 1000)
#define SECONDS 4.5
#define LIMIT 400 /* entries: 60 MB */

static char *cache[LIMIT];

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void cache_add(void)
{
	static size_t next;

	free(cache[next]);
	cache[next] = malloc(ENTRY_BYTES);
	if (!cache[next])
		exit(1);
	memset(cache[next], 'x', ENTRY_BYTES);
	next = (next + 1) % LIMIT;
}

int main(void)
{
	double begin = now_s();
	double added = 0;

	for (;;) {
		double passed = now_s() - begin;
		if (passed > SECONDS)
			break;
		while (added < passed * RATE) {
			cache_add();
			added += ENTRY_BYTES;
		}
		sleep_ms(5);
	}
	puts("full");
	return 0;
}
