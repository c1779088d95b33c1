/*
 * A program with an allocator of its own in it, to which its calls go directly: of what it loses nothing can be known, and the report, here
 * of a lock, says so.
 *
 * RUN: whoholds run %prog
 * KINDS: held-at-exit
 * EXPECT: note: malloc is the program's own
 * EXPECT-JSON: finding("held-at-exit") | ._report.coverage.degraded | index("others-malloc") != null
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"

#define ROOM ((size_t)1 << 24)

static _Alignas(16) unsigned char room[ROOM];
static size_t used;

void *malloc(size_t size)
{
	const size_t bytes = (size + 31) & ~(size_t)15;
	size_t at = size < ROOM ? __atomic_fetch_add(&used, bytes, __ATOMIC_RELAXED) : ROOM;
	if (at > ROOM - bytes)
		return NULL;
	*(size_t *)&room[at] = size;
	return &room[at + 16];
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	return __builtin_mul_overflow(count, size, &bytes) ? NULL : malloc(bytes);
}

void *realloc(void *old, size_t size)
{
	unsigned char *made = malloc(size);
	if (made && old) {
		const size_t was = ((size_t *)old)[-2];
		memcpy(made, old, was < size ? was : size);
	}
	return made;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	static volatile uintptr_t hidden;
	for (int i = 0; i < 100; i++)
		hidden = ~(uintptr_t)malloc(100);
	pthread_mutex_lock(&lock);
	return hidden == 0;
}
