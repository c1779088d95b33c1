/*
 * What tracking costs an allocation: malloc and free pairs at the bottom of a
 * stack of 40 frames, at first from one place, then each time by another way
 * down. Prints nanoseconds a pair. Run by scripts/bench.sh.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static volatile size_t sizes = 1;

__attribute__((noinline)) static void pairs(long count)
{
	for (long i = 0; i < count; i++) {
		sizes = (sizes * 7 + 1) & 255;
		char *block = malloc(sizes + 1);
		*(volatile char *)block = 1;
		free(block);
	}
}

__attribute__((noinline)) static void down_right(int depth, unsigned way, long count);

__attribute__((noinline)) static void down_left(int depth, unsigned way, long count)
{
	if (depth == 0)
		pairs(count);
	else if (way & 1)
		down_right(depth - 1, way >> 1, count);
	else
		down_left(depth - 1, way >> 1, count);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void down_right(int depth, unsigned way, long count)
{
	if (depth == 0)
		pairs(count);
	else if (way & 1)
		down_right(depth - 1, way >> 1, count);
	else
		down_left(depth - 1, way >> 1, count);
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	bool changing = argc > 1 && strcmp(argv[1], "changing") == 0;
	long count = changing ? 300000 : 3000000;
	double begin = now_ns();

	if (changing)
		for (long i = 0; i < count; i++)
			down_left(40, (unsigned)(i * 2654435761u) & 0xfff, 1);
	else
		down_left(40, 0, count);
	printf("%.1f ns a pair\n", (now_ns() - begin) / (double)count);
	return 0;
}
