/*
 * The allocator's edges: what each function answers is libc's, errno included, and what is
 * recorded as live is what is live: after realloc to nothing, a realloc that fails, blocks
 * freed by other threads, by destructors of thread-specific values, and by constructors that ran before us.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 60
 * KINDS: none
 * EXPECT-STDOUT: alloc_edges: all as libc has it
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"
#include "whoholds.h"

#if defined(__GNUC__) && !defined(__clang__)
/* gcc takes a reallocarray that fails for one that frees. */
#pragma GCC diagnostic ignored "-Wuse-after-free"
#endif

static char *early;

/* Before the constructors of preloaded libraries' dependents, and freed after them. */
__attribute__((constructor(101))) static void allocate_early(void)
{
	early = malloc(3000);
	memset(early, 'e', 3000);
}

static size_t live(wh_mark mark)
{
	return wh_active() ? wh_live_bytes_since(mark) : 0;
}

static size_t expected(size_t bytes)
{
	return wh_active() ? bytes : 0;
}

static void check_answers(void)
{
	/* The compiler must not know these numbers, or it would say that they are wrong. */
	volatile size_t huge = PTRDIFF_MAX, half = SIZE_MAX / 2, odd = 24;
	wh_mark mark = wh_now();
	void *block = NULL;

	errno = EXDEV;
	free(NULL);
	CHECK_EQUAL(errno, EXDEV);
	block = malloc(100);
	CHECK_EQUAL((long)live(mark), (long)expected(100));
	errno = EXDEV;
	free(block);
	CHECK_EQUAL(errno, EXDEV);
	CHECK_EQUAL((long)live(mark), 0);

	CHECK_EQUAL(malloc(huge) == NULL, 1);
	CHECK_EQUAL(errno, ENOMEM);
	CHECK_EQUAL(calloc(half, 3) == NULL, 1);
	CHECK_EQUAL((long)live(mark), 0);

	/* A realloc that fails leaves the block, and its record, as they were. */
	char *kept = malloc(200);
	strcpy(kept, "kept");
	CHECK_EQUAL(realloc(kept, huge) == NULL, 1);
	CHECK_EQUAL(reallocarray(kept, half, 3) == NULL, 1);
	CHECK_EQUAL(strcmp(kept, "kept"), 0);
	CHECK_EQUAL((long)live(mark), (long)expected(200));
	kept = realloc(kept, 5000);
	CHECK_EQUAL(strcmp(kept, "kept"), 0);
	CHECK_EQUAL((long)live(mark), (long)expected(5000));
	/* In glibc this frees it. */
	CHECK_EQUAL(realloc(kept, 0) == NULL, 1);
	CHECK_EQUAL((long)live(mark), 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQUAL(realloc(malloc(10), 0) == NULL, 1);
	CHECK_EQUAL((long)live(mark), 0);

	CHECK_EQUAL(posix_memalign(&block, odd, 10), EINVAL);
	CHECK_EQUAL(posix_memalign(&block, 4096, 10), 0);
	CHECK_EQUAL((long)((uintptr_t)block % 4096), 0);
	CHECK_EQUAL((long)live(mark), (long)expected(10));
	free(block);
	void *blocks[] = { aligned_alloc(64, 100), memalign(128, 100), valloc(100), pvalloc(100) };
	CHECK_EQUAL((long)live(mark), (long)expected(400));
	for (int i = 0; i < 4; i++) {
		CHECK_EQUAL(malloc_usable_size(blocks[i]) >= 100, 1);
		/* All of it is the program's to write. */
		memset(blocks[i], 'x', malloc_usable_size(blocks[i]));
		free(blocks[i]);
	}
	CHECK_EQUAL((long)malloc_usable_size(NULL), 0);
	CHECK_EQUAL((long)live(mark), 0);
}

/* -- threads --------------------------------------------------------------- */

#define SLOTS 64
static void *exchange[SLOTS];

/* Blocks are freed by another thread than made them, at once, so that addresses come back quickly. */
static void *pass_on(void *seed)
{
	unsigned at = (unsigned)(uintptr_t)seed;
	for (int i = 0; i < 20000; i++) {
		at = at * 1103515245 + 12345;
		char *made = malloc(at >> 16 & 511);
		free(__atomic_exchange_n(&exchange[at >> 8 & (SLOTS - 1)], made, __ATOMIC_ACQ_REL));
	}
	return NULL;
}

static pthread_key_t key;

static void free_late(void *value)
{
	free(value);
	free(malloc(77));
}

static void *leave_to_destructor(void *unused)
{
	pthread_setspecific(key, malloc(500));
	return unused;
}

static void check_threads(void)
{
	wh_mark mark = wh_now();
	pthread_t threads[4];
	for (uintptr_t i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, pass_on, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SLOTS; i++)
		free(exchange[i]);

	pthread_key_create(&key, free_late);
	/* Thousands come and go; ids and slots are used again. */
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 4; i++)
			CHECK_EQUAL(pthread_create(&threads[i], NULL, leave_to_destructor, NULL), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
	/* libc keeps a few of its own for the stacks that it keeps. */
	CHECK_EQUAL(live(mark) < 4096, 1);
}

int main(void)
{
	CHECK_EQUAL(early[2999], 'e');
	free(early);
	check_answers();
	check_threads();
	printf("alloc_edges: all as libc has it\n");
	return 0;
}
