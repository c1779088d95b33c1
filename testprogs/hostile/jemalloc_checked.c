/*
 * Blocks of malloc's given to jemalloc's own functions, and its own to free, found by dlsym and by a name in the program:
 * under check=heap those of malloc's begin behind a header, which jemalloc does not know. What is in them stays.
 *
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run --set check=heap %prog
 * NEEDS: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
 * BUILD: -Wl,-z,dynamic-undefined-weak
 * KINDS: none
 * EXPECT-STDOUT: 1000 rounds
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

#define ZEROED 0x40  /* MALLOCX_ZERO */
#define ALIGNED_64 6 /* MALLOCX_LG_ALIGN(6) */

extern void *mallocx(size_t size, int flags) __attribute__((weak));
extern void *rallocx(void *block, size_t size, int flags) __attribute__((weak));
extern size_t xallocx(void *block, size_t size, size_t extra, int flags) __attribute__((weak));
extern size_t sallocx(const void *block, int flags) __attribute__((weak));
extern void dallocx(void *block, int flags) __attribute__((weak));
extern void sdallocx(void *block, size_t size, int flags) __attribute__((weak));

static char *filled(char *block, size_t size)
{
	CHECK(block);
	return memset(block, 'x', size);
}

static void is_filled(const char *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		CHECK(block[i] == 'x');
}

static void by_name(size_t size)
{
	dallocx(filled(malloc(size), size), 0);
	sdallocx(filled(calloc(1, size), size), size, 0);
	free(filled(mallocx(size, 0), size));
	char *block = filled(malloc(size), size);
	CHECK(sallocx(block, 0) >= size);
	size_t now = xallocx(block, size + 5, 0, 0);
	CHECK(now >= size);
	memset(block, 'x', now);
	block = rallocx(block, 3 * size, 0);
	is_filled(block, size);
	/* By jemalloc from then on, as it likes. */
	block = rallocx(filled(block, 3 * size), 5 * size, ZEROED | ALIGNED_64);
	is_filled(block, 3 * size);
	CHECK((size_t)block % 64 == 0);
	dallocx(block, 0);
}

int main(void)
{
	void (*found)(void *, int);
	*(void **)&found = dlsym(RTLD_DEFAULT, "dallocx");
	if (!mallocx || !rallocx || !xallocx || !sallocx || !dallocx || !sdallocx || !found)
		return 1;
	int rounds = 0;
	for (; rounds < 1000; rounds++) {
		const size_t size = (size_t)rounds % 300 + 1;
		by_name(size);
		found(filled(malloc(size), size), 0);
		found(mallocx(size, 0), 0);
	}
	printf("%d rounds\n", rounds);
	return 0;
}
