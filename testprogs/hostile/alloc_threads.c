/*
 * Blocks go from thread to thread: allocated by one, grown by another, freed by a third or by the
 * destructor of a thread-specific value, while the same addresses are given out again
 * elsewhere; thousands of threads, whose ids and slots come back.
 * Guards: an address that has a new owner before the old one is off the books.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: whoholds run --set alloc=sample --set sample_bytes=4KiB %prog
 * KINDS: none
 * TIMEOUT: 60
 * EXPECT-STDOUT: 4000 threads
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/show.h"

#define PLACES 256
#define ROUNDS 30000
#define BATCHES 250
#define BATCH 16

static _Atomic(char *) places[PLACES];
static pthread_key_t key;
static atomic_int ended;

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* Each block says how long it is: what came out of a place must be whole. */
static void look(const char *block)
{
	unsigned bytes;

	if (!block)
		return;
	memcpy(&bytes, block, sizeof bytes);
	CHECK(bytes >= sizeof bytes && bytes < 2000);
	CHECK(bytes == sizeof bytes || block[bytes - 1] == (char)bytes);
}

static char *make(unsigned bytes, char *from)
{
	char *block = realloc(from, bytes);

	memcpy(block, &bytes, sizeof bytes);
	if (bytes > sizeof bytes)
		block[bytes - 1] = (char)bytes;
	return block;
}

static void *trader(void *number)
{
	unsigned seed = (unsigned)(size_t)number * 7919u + 1;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned place = next(&seed) % PLACES;
		unsigned bytes = sizeof(unsigned) + next(&seed) % 1000;
		char *taken = atomic_exchange(&places[place], NULL);
		look(taken);
		if (next(&seed) % 3 == 0) {
			free(taken);
			taken = NULL;
		} else {
			taken = make(bytes, taken);
		}
		char *before = atomic_exchange(&places[place], taken);
		look(before);
		free(before);
	}
	return NULL;
}

static void give_back(void *value)
{
	free(value);
	free(malloc(30));
	ended++;
}

static void *short_lived(void *unused)
{
	pthread_setspecific(key, malloc(200));
	char *mine = make(100, NULL);
	char *before = atomic_exchange(&places[0], mine);
	free(before);
	return unused;
}

int main(void)
{
	pthread_t threads[BATCH];

	for (size_t i = 0; i < 4; i++)
		threads[i] = thread_start(trader, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);

	pthread_key_create(&key, give_back);
	for (int batch = 0; batch < BATCHES; batch++) {
		for (int i = 0; i < BATCH; i++)
			threads[i] = thread_start(short_lived, NULL);
		for (int i = 0; i < BATCH; i++)
			pthread_join(threads[i], NULL);
	}
	CHECK_EQUAL(ended, BATCHES * BATCH);
	for (int i = 0; i < PLACES; i++)
		free(places[i]);
	printf("%d threads\n", BATCHES * BATCH);
	return 0;
}
