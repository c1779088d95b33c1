/*
 * What tracking costs an allocation. Run by scripts/bench.
 *
 *   malloc_pairs same [COUNT]               malloc and free, 40 frames down, from one place
 *   malloc_pairs changing [COUNT]           20 frames down, each frame another than the time before
 *   malloc_pairs threads [COUNT [THREADS]]  threads with a ring of 64 blocks each, 16 to 515 bytes, filled;
 *                                           COUNT pairs a thread and a slice
 *
 * Prints "ns", of CPU time, a pair; `threads` "per_s", the pairs that all of them did in a second of the clock in the
 * best of five slices (others use the machine as well).
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"

static unsigned last_size;

static inline __attribute__((always_inline)) void pair(void)
{
	last_size = (last_size * 7 + 1) & 255;
	char *block = malloc(last_size + 1);
	*(volatile char *)block = 1;
	free(block);
}

__attribute__((noinline)) static void pairs_down(int depth, long count)
{
	if (depth)
		pairs_down(depth - 1, count);
	else
		for (long i = 0; i < count; i++)
			pair();
	__asm__ volatile("" ::: "memory");
}

/*
 * A way down: STEPS functions, of two kinds with frames of different sizes, then the leaf. Each byte says which of
 * eight calls to go by (of four, in the leaf), so each frame has its own return address. The last step goes to the leaf.
 */
enum { STEPS = 19, CALLS = 8, LEAF_CALLS = 4, WAYS = 256 };

static void wide(const unsigned char *way);
static void narrow(const unsigned char *way);
static void leaf(const unsigned char *way);

/* The text after each call keeps the compiler from making one of them all. */
#define CALL(n, call) \
	case n: \
		call; \
		__asm__ volatile("# after call " #n); \
		break;

#define STEP(way) \
	switch (*(way)) { \
		CALL(0, wide((way) + 1)) \
		CALL(1, narrow((way) + 1)) \
		CALL(2, wide((way) + 1)) \
		CALL(3, narrow((way) + 1)) \
		CALL(4, wide((way) + 1)) \
		CALL(5, narrow((way) + 1)) \
		CALL(6, wide((way) + 1)) \
		CALL(7, narrow((way) + 1)) \
		CALL(8, leaf((way) + 1)) \
		CALL(9, leaf((way) + 1)) \
		CALL(10, leaf((way) + 1)) \
		CALL(11, leaf((way) + 1)) \
		CALL(12, leaf((way) + 1)) \
		CALL(13, leaf((way) + 1)) \
		CALL(14, leaf((way) + 1)) \
		CALL(15, leaf((way) + 1)) \
	}

__attribute__((noinline)) static void wide(const unsigned char *way)
{
	volatile char room[96];

	room[0] = 0;
	STEP(way)
}

__attribute__((noinline)) static void narrow(const unsigned char *way)
{
	STEP(way)
}

__attribute__((noinline)) static void leaf(const unsigned char *way)
{
	switch (*way) {
		CALL(0, pair())
		CALL(1, pair())
		CALL(2, pair())
		CALL(3, pair())
	}
}

/* None of the ways has a frame in common with the one before it, nor the first with the last (below: main and libc). */
static void ways_make(unsigned char ways[WAYS][STEPS + 1])
{
	unsigned random = 12345;

	for (int i = 0; i < WAYS; i++)
		for (int step = 0; step <= STEPS; step++) {
			unsigned calls = step == STEPS ? LEAF_CALLS : CALLS;
			unsigned base = step == STEPS - 1 ? CALLS : 0;
			unsigned char *choice = &ways[i][step];

			do {
				random = random * 1103515245 + 12345;
				*choice = (unsigned char)(base + (random >> 16) % calls);
			} while ((i && *choice == ways[i - 1][step]) ||
				 (i == WAYS - 1 && *choice == ways[0][step]));
		}
}

struct worker {
	pthread_t thread;
	long count;
	char *ring[64];
} __attribute__((aligned(64)));

__attribute__((noinline)) static void ring_down(int depth, struct worker *worker)
{
	unsigned random = 1;

	if (depth) {
		ring_down(depth - 1, worker);
	} else {
		for (long i = 0; i < worker->count; i++) {
			char **place = &worker->ring[i & 63];

			free(*place);
			random = random * 1103515245 + 12345;
			size_t size = 16 + (random >> 16) % 500;

			*place = malloc(size);
			memset(*place, 1, size);
			/* Else it is a store to memory that nobody reads. */
			__asm__ volatile("" ::"r"(*place) : "memory");
		}
	}
	__asm__ volatile("" ::: "memory");
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;

	ring_down(8, worker);
	for (int i = 0; i < 64; i++) {
		free(worker->ring[i]);
		worker->ring[i] = NULL;
	}
	return NULL;
}

static double threads_slice(struct worker *workers, int threads, long count)
{
	double begin = wall_ns();

	for (int i = 0; i < threads; i++) {
		workers[i].count = count;
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			abort();
	}
	for (int i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	return (double)count * threads / (wall_ns() - begin) * 1e9;
}

static double threads_best(long count, int threads)
{
	static struct worker workers[64];
	double best = 0;

	for (int slice = 0; slice < 5; slice++) {
		double rate = threads_slice(workers, threads > 64 ? 64 : threads, count);

		if (rate > best)
			best = rate;
	}
	return best;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long count = number_argument(argc, argv, 2, 100000);
	double begin = cpu_ns();

	if (strcmp(mode, "same") == 0) {
		pairs_down(39, count);
	} else if (strcmp(mode, "changing") == 0) {
		static unsigned char ways[WAYS][STEPS + 1];

		ways_make(ways);
		begin = cpu_ns();
		for (long i = 0; i < count; i++)
			wide(ways[i % WAYS]);
	} else if (strcmp(mode, "threads") == 0) {
		printf("per_s %.0f\n", threads_best(count, (int)number_argument(argc, argv, 3, 8)));
		return 0;
	} else {
		fprintf(stderr, "usage: malloc_pairs same|changing|threads [COUNT [THREADS]]\n");
		return 2;
	}
	printf("ns %.2f\n", (cpu_ns() - begin) / (double)count);
	return 0;
}
