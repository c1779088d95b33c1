/*
 * A cache without a limit: the heap grows by 60 MB a second, all of it reachable,
 * so that no search for lost memory would ever find it.
 *
 * RUN: whoholds run --set "heap_growth=50MB/s for 2s" %prog
 * TIMEOUT: 30
 * KINDS: heap-growth
 * EXPECT: warning heap-growth:
 * EXPECT: cache_add
 * EXPECT-JSON: finding("heap-growth") | ._report.trigger == "threshold"
 * EXPECT-JSON: finding("heap-growth") | has_frame("site"; "cache_add"; {{line allocates}})
 * EXPECT-JSON: finding("heap-growth") | has_frame("site"; "main"; {{line fills}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/show.h"

#define ENTRY_BYTES (150 * 1000)
#define RATE (60.0 * 1000 * 1000)
#define SECONDS 4.5

struct entry {
	struct entry *next;
	char body[ENTRY_BYTES];
};

static struct entry *cache;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void cache_add(void)
{
	struct entry *entry = malloc(sizeof *entry); /* line: allocates */

	if (!entry)
		exit(1);
	memset(entry->body, 'x', sizeof entry->body);
	entry->next = cache;
	cache = entry;
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
			cache_add(); /* line: fills */
			added += sizeof(struct entry);
		}
		sleep_ms(5);
	}
	puts("full");
	return 0;
}
