/*
 * rss_growth, put right: each piece is given back before the next one is taken; and memory that is shared
 * between processes grows, which is the page cache's.
 *
 * RUN: whoholds run --set "rss_growth=20MB/s for 2s" %prog
 * TIMEOUT: 40
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/show.h"

#define PIECE ((size_t)512 * 1024)
#define RATE 40e6
#define SECONDS 4.5

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *take(int how)
{
	void *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS, -1, 0);

	if (piece == MAP_FAILED)
		exit(1);
	memset(piece, 'x', PIECE);
	return piece;
}

int main(void)
{
	double begin = now_s(), taken = 0;

	for (double passed; (passed = now_s() - begin) < SECONDS; sleep_ms(5)) {
		while (taken < passed * RATE) {
			munmap(take(MAP_PRIVATE), PIECE);
			take(MAP_SHARED);
			taken += PIECE;
		}
	}
	puts("mapped");
	return 0;
}
