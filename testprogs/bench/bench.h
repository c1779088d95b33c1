/*
 * What the programs of scripts/bench share: clocks, and arguments. Each program does one thing many
 * times and prints lines "NAME NUMBER"; scripts/bench runs it in several ways and compares.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdlib.h>
#include <time.h>

static inline double clock_read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Of all threads, ours included: what a machine that is busy with other things does not change. */
static inline double cpu_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline double wall_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* `pairs(count)`, from a stack `depth` frames deeper. */
__attribute__((noinline)) static void down(int depth, void (*pairs)(long), long count)
{
	if (depth)
		down(depth - 1, pairs, count);
	else
		pairs(count);
	__asm__ volatile("" ::: "memory");
}

/* A tracker may start a thread of its own late, and make do without until then: some pairs, and time for it. */
static inline void settle(void (*pairs)(long), long ms)
{
	struct timespec pause = { .tv_nsec = ms % 1000 * 1000000 };

	for (int i = 0; ms && i < 2; i++) {
		down(10, pairs, 10);
		nanosleep(&pause, NULL);
	}
}

/* The argument at `index` as a number; `otherwise` where there is none. */
static inline long number_argument(int argc, char **argv, int index, long otherwise)
{
	return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

#endif
