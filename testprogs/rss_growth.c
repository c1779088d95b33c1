/*
 * Memory that no allocator knows of: mapped, written and never given back. The heap stays as it is.
 *
 * RUN: whoholds run --set "rss_growth=20MB/s for 2s" %prog
 * TIMEOUT: 40
 * KINDS: rss-growth
 * EXPECT: warning rss-growth: the memory in use has grown by
 * EXPECT: and not for the heap
 * EXPECT: with the option mappings=on the places are told that map memory
 * EXPECT: limit 2 s (option rss_growth)
 * EXPECT-NOT: mapped by
 * EXPECT-JSON: finding("rss-growth") | .bytes_per_s > 20000000 and .bytes_per_s < 80000000
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

int main(void)
{
	double begin = now_s(), taken = 0;

	for (double passed; (passed = now_s() - begin) < SECONDS; sleep_ms(5)) {
		while (taken < passed * RATE) {
			void *piece =
			    mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (piece == MAP_FAILED)
				return 1;
			memset(piece, 'x', PIECE);
			taken += PIECE;
		}
	}
	puts("mapped");
	return 0;
}
