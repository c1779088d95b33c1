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

/* The argument at `index` as a number; `otherwise` where there is none. */
static inline long number_argument(int argc, char **argv, int index, long otherwise)
{
	return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

#endif
