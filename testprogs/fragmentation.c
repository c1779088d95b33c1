/*
 * A heap like a sieve: many blocks are made and most of them freed again, but a small one in each page
 * stays, in the main arena and in a thread's own. Nothing is lost and little is live, but all of the pages are.
 *
 * RUN: whoholds run --set "fragmentation=400% in 2s" %prog
 * TIMEOUT: 60
 * KINDS: fragmentation
 * EXPECT: warning fragmentation: the heap
 * EXPECT: the main arena:
 * EXPECT: an arena of threads:
 * EXPECT: of its pages in use by
 * EXPECT: limit 2 s (option fragmentation)
 * EXPECT-JSON: finding("fragmentation") | has_frame("pins"; "keep_one"; {{line keeps}})
 * EXPECT-JSON: finding("fragmentation") | .bytes > 5 * .indirect_bytes
 * EXPECT-JSON: finding("fragmentation") | [.arenas[] | select(.taken_bytes > 30000000)] | length == 2
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"

#define ROUNDS 12000
#define REST 30 /* blocks of 128 bytes around each that stays */

static void *kept[2][ROUNDS];
static void *rest[2][ROUNDS][REST];

static void *keep_one(void)
{
	return malloc(40); /* line: keeps */
}

static void *sieve(void *arg)
{
	int which = *(int *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		kept[which][i] = keep_one();
		for (int j = 0; j < REST; j++) {
			rest[which][i][j] = malloc(128);
			if (!rest[which][i][j])
				exit(1);
			memset(rest[which][i][j], 'x', 128);
		}
	}
	for (int i = 0; i < ROUNDS; i++)
		for (int j = 0; j < REST; j++)
			free(rest[which][i][j]);
	sleep_ms(4000);
	return NULL;
}

int main(void)
{
	int first = 0, second = 1;
	pthread_t thread = thread_start(sieve, &second);

	sieve(&first);
	pthread_join(thread, NULL);
	puts(kept[1][ROUNDS - 1] ? "full of holes" : "?");
	return 0;
}
