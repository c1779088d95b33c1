/*
 * Mappings that are all kept in a list, and ever more of them: both the place that makes them and the memory in use grow. Hard
 * because the allocator knows of none of them, and most of what is mapped meanwhile, in another place, is given back.
 *
 * RUN: whoholds run --set mappings=on --set growth=3s --set tick=20ms --set "rss_growth=10MB/s for 2s" %prog
 * TIMEOUT: 60
 * KINDS: growth rss-growth
 * EXPECT: mappings kept, from segment_new
 * EXPECT: live then, at the least
 * EXPECT: and not for the heap, but mapped in segment_new
 * EXPECT: mappings, mapped by mmap, the oldest in
 * EXPECT-NOT: with the option mappings=on
 * EXPECT-JSON: finding("growth") | has_frame("allocated"; "segment_new"; {{line maps}})
 * EXPECT-JSON: finding("growth") | (.windows | length) == 8 and ([.windows[].least_bytes] | . == sort)
 * EXPECT-JSON: finding("growth") | .count * 262144 == .bytes
 * EXPECT-JSON: finding("rss-growth") | has_frame("allocated"; "segment_new"; {{line maps}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/show.h"

#define PIECE ((size_t)256 * 1024)
#define RATE 40e6
#define SECONDS 5.0

struct segment {
	struct segment *next;
	char body[PIECE - 64];
};

static struct segment *segments;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct segment *segment_new(void)
{
	struct segment *made =
	    mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* line: maps */

	if (made == MAP_FAILED)
		exit(1);
	memset(made->body, 'x', sizeof made->body);
	return made;
}

static void look_through(void)
{
	void *seen = mmap(NULL, 4 * PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (seen != MAP_FAILED)
		munmap(seen, 4 * PIECE);
}

int main(void)
{
	double begin = now_s(), taken = 0;

	for (double passed; (passed = now_s() - begin) < SECONDS; sleep_ms(5)) {
		while (taken < passed * RATE) {
			struct segment *made = segment_new();

			made->next = segments;
			segments = made;
			taken += PIECE;
		}
		look_through();
	}
	puts(segments ? "mapped" : "?");
	return 0;
}
