/*
 * A program that imports a function of jemalloc's which nobody stands before: from the start there may be blocks that are not
 * known, and what lies in the allocator's memory may be theirs.
 *
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog
 * NEEDS: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
 * BUILD: -Wl,-z,dynamic-undefined-weak
 * KINDS: none
 */
#include <stdlib.h>

#include "lib/lose.h"

#define BLOCKS 50

extern void *mallocx(size_t size, int flags) __attribute__((weak));

static void **unknown;

static __attribute__((noinline)) int keep(void)
{
	if (!mallocx)
		return 1;
	/* Known ones of its size on both sides. */
	static void *beside[2];
	beside[0] = malloc(BLOCKS * sizeof *unknown);
	unknown = mallocx(BLOCKS * sizeof *unknown, 0);
	for (int i = 0; i < BLOCKS; i++)
		unknown[i] = malloc(64);
	beside[1] = malloc(BLOCKS * sizeof *unknown);
	return 0;
}

int main(void)
{
	int failed = keep();
	wipe_stack();
	return failed;
}
