/*
 * Memory of a program on jemalloc that is known from elsewhere than its data alone: from mappings that the program makes, next
 * to those of the allocator, and from a block of mallocx, which nobody stands before, looked up.
 *
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog mapped
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog asked
 * NEEDS: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
 * KINDS: none
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/lose.h"

#define MAPPINGS 60
#define EACH ((size_t)256 * 1024)
#define BLOCKS 50

typedef void *alloc_function(size_t size, int flags);

/* Known to nobody as a pointer: the mappings are roots by themselves. */
static volatile uintptr_t hidden[MAPPINGS];

static void **map_own(size_t bytes)
{
	void *made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return made == MAP_FAILED ? NULL : made;
}

static __attribute__((noinline)) int keep_in_mappings(void)
{
	for (int i = 0; i < MAPPINGS; i++) {
		/* The allocator maps as well, and unmaps what it had of large ones or keeps it. */
		void *volatile large = malloc(((size_t)i % 7 + 1) << 20);
		void **own = map_own(EACH * ((size_t)i % 3 + 1));
		if (!large || !own)
			return 1;
		memset(large, 1, 4096);
		for (int at = 0; at < BLOCKS; at++)
			own[at] = malloc((size_t)at * 40 + 1);
		free(large);
		hidden[i] = ~(uintptr_t)own;
	}
	return 0;
}

static alloc_function *asked_for(void)
{
	void *found = dlsym(RTLD_DEFAULT, "mallocx");
	alloc_function *function;
	memcpy(&function, &found, sizeof function);
	return function;
}

static void **unknown;

static __attribute__((noinline)) int keep_in_unknown(alloc_function *allocate)
{
	if (!allocate)
		return 1;
	/* Known ones of its size on both sides. */
	static void *beside[2];
	beside[0] = malloc(BLOCKS * sizeof *unknown);
	unknown = allocate(BLOCKS * sizeof *unknown, 0);
	for (int i = 0; i < BLOCKS; i++)
		unknown[i] = malloc(64);
	beside[1] = malloc(BLOCKS * sizeof *unknown);
	return 0;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	int failed = 1;
	if (strcmp(way, "mapped") == 0)
		failed = keep_in_mappings();
	else if (strcmp(way, "asked") == 0)
		failed = keep_in_unknown(asked_for());
	wipe_stack();
	return failed;
}
