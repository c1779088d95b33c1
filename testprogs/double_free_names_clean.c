/*
 * A program that counts its mallocs: its own malloc goes on to glibc's second names, calloc and free stay what they are. The same
 * addresses come by the one and go by the other, over and over, and all is freed once.
 *
 * KINDS: none
 * EXPECT-STDOUT: names: counted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void *__libc_valloc(size_t size);
extern void *__libc_pvalloc(size_t size);
extern void __libc_free(void *block);

#define ROUNDS 2000

static unsigned long counted;

void *malloc(size_t size)
{
	counted++;
	return __libc_malloc(size);
}

static void *made(int round, size_t size)
{
	switch (round % 8) {
	case 0:
		return malloc(size);
	case 1:
		return calloc(1, size);
	case 2:
		return __libc_calloc(3, size);
	case 3:
		return __libc_realloc(malloc(size / 2), size);
	case 4:
		return realloc(__libc_malloc(size / 2), size);
	case 5:
		return __libc_memalign(64, size);
	case 6:
		return round % 16 == 6 ? __libc_valloc(size) : __libc_pvalloc(size);
	default:
		return strdup("names");
	}
}

int main(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		void *volatile first = made(round, 100);
		void *volatile second = made(round + 3, 100);
		CHECK(first && second);
		if (round % 3 == 0)
			__libc_free(first);
		else
			free(first);
		free(second);
	}
	CHECK(counted > ROUNDS / 2);
	puts("names: counted");
	return 0;
}
