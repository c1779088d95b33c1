/*
 * What a capture costs: nanoseconds at 20 and 40 frames, with the stack of the time before and with one that has
 * changed in all frames, beside unw_backtrace.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/stack.h"

__thread struct self_state self TLS_IE;

static int (*unw_backtrace_fn)(void **frames, int count);
static volatile int sink;
static unsigned rounds;
static double result;
static int what;

static NOINLINE stack_id hook(void)
{
	return stack_capture(__builtin_frame_address(0));
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static NOINLINE void once(void)
{
	void *frames[64];
	if (what == 0)
		sink = (int)hook();
	else
		sink = unw_backtrace_fn(frames, 64);
	__asm__ volatile("");
}

static void (*leaf)(void) = once;

/* Eight functions, so that there are different return addresses, in two sets. */
#define STEP(set, n, next) \
	static NOINLINE void step_##set##n(int left) \
	{ \
		volatile int keep[3 + n]; \
		keep[n] = left; \
		if (left > 0) \
			step_##set##next(left - 1); \
		else \
			leaf(); \
		sink = keep[n]; \
	}
#define SET(set) \
	static NOINLINE void step_##set##0(int left); \
	STEP(set, 7, 0) \
	STEP(set, 6, 7) \
	STEP(set, 5, 6) STEP(set, 4, 5) STEP(set, 3, 4) STEP(set, 2, 3) STEP(set, 1, 2) STEP(set, 0, 1)
SET(a)
SET(b)

static NOINLINE void repeat(void)
{
	double from = now();
	for (unsigned i = 0; i < rounds; i++)
		once();
	result = (now() - from) / rounds;
}

static double same(int frames)
{
	leaf = repeat;
	step_a0(frames - 1);
	leaf = once;
	return result;
}

static NOINLINE void shifted(int frames)
{
	volatile char room[256];
	room[3] = 1;
	step_b0(frames);
	sink = room[3];
}

static void nothing(void)
{
}

/* Less the time of going up and down. */
static double changed(int frames)
{
	double took[2];
	for (int pass = 0; pass < 2; pass++) {
		leaf = pass ? nothing : once;
		double from = now();
		for (unsigned i = 0; i < rounds / 2; i++) {
			step_a0(frames);
			shifted(frames);
		}
		took[pass] = (now() - from) / rounds;
	}
	leaf = once;
	return took[0] - took[1];
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void line(const char *name, double (*measure)(int), int frames)
{
	double times[9];
	for (int i = 0; i < 9; i++)
		times[i] = measure(frames);
	qsort(times, 9, sizeof times[0], compare);
	printf("%-44s %8.1f ns  (%.1f to %.1f)\n", name, times[4], times[0], times[8]);
}

int main(void)
{
	recording_configure(NULL, NULL);
	if (recording_open() != 0)
		return 1;
	void *library = dlopen("libunwind.so.8", RTLD_NOW);
	*(void **)&unw_backtrace_fn = library ? dlsym(library, "unw_backtrace") : NULL;
	/* Frames below: main, libc's start, _start; above: once. */
	rounds = 200000;
	line("capture, 20 frames, the same", same, 20 - 6);
	line("capture, 40 frames, the same", same, 40 - 6);
	line("capture, 20 frames, all changed", changed, 20 - 5);
	line("capture, 40 frames, all changed", changed, 40 - 5);
	if (unw_backtrace_fn) {
		what = 1;
		rounds = 20000;
		line("unw_backtrace, 20 frames, the same", same, 20 - 6);
		line("unw_backtrace, 40 frames, the same", same, 40 - 6);
		line("unw_backtrace, 20 frames, all changed", changed, 20 - 5);
		line("unw_backtrace, 40 frames, all changed", changed, 40 - 5);
	}
	recording_unlink();
	return 0;
}
