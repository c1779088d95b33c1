/*
 * The same counts and no false loss, whoever allocates: libc, jemalloc or tcmalloc, preloaded with the library in front; and what is
 * lost is found.
 * (tcmalloc 2.10 loses 8 bytes itself at its start, MallocExtension::Register.)
 *
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4 whoholds run %prog
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog
 * RUN: LD_PRELOAD=%lib:/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 %prog
 * NEEDS: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 /usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4
 * TIMEOUT: 60
 * KINDS: leak?
 * EXPECT-STDOUT: allocators: as expected
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/lose.h"
#include "lib/show.h"
#include "whoholds.h"

#define BLOCKS 500

static void *kept[5][BLOCKS];
static uintptr_t hidden[20];

static long expected(long bytes)
{
	return wh_active() ? bytes : 0;
}

/* In all ways that C has; their sum. */
static __attribute__((noinline)) long fill(void)
{
	long sum = 0;
	for (int i = 0; i < BLOCKS; i++) {
		size_t size = (size_t)(i * 37 % 5000 + 1);
		kept[0][i] = malloc(size);
		kept[1][i] = calloc(3, size);
		kept[2][i] = realloc(malloc(8), size);
		kept[3][i] = aligned_alloc(64, 64);
		if (posix_memalign(&kept[4][i], 128, size) != 0)
			abort();
		sum += (long)(size * 6 + 64);
	}
	return sum;
}

static __attribute__((noinline)) void empty(void)
{
	for (int way = 0; way < 5; way++)
		for (int i = 0; i < BLOCKS; i++) {
			free(kept[way][i]);
			kept[way][i] = NULL;
		}
}

static void *fill_and_empty(void *unused)
{
	char *own[100];
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 100; i++)
			own[i] = malloc((size_t)(i + round));
		for (int i = 0; i < 100; i++)
			free(own[i]);
	}
	return unused;
}

static __attribute__((noinline)) void lose_some(void)
{
	for (size_t i = 0; i < 20; i++)
		hidden[i] = ~(uintptr_t)malloc(1000);
}

int main(void)
{
	wh_mark mark = wh_now();
	long sum = fill();
	CHECK_EQUAL((long)wh_live_bytes_since(mark), expected(sum));
	CHECK_EQUAL((long)wh_lost_bytes_since(mark), 0);
	empty();
	CHECK_EQUAL((long)wh_live_bytes_since(mark), 0);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(fill_and_empty, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	mark = wh_now();
	lose_some();
	wipe_stack();
	long lost = (long)wh_lost_bytes_since(mark);
	CHECK_EQUAL(lost, expected(20 * 1000));
	for (int i = 0; i < 20; i++)
		free((void *)~hidden[i]);
	CHECK_EQUAL((long)wh_live_bytes_since(mark), 0);
	puts("allocators: as expected");
	return 0;
}
