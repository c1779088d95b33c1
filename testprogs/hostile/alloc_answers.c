/*
 * Every call of the allocator, with every argument that matters: sizes of none,
 * too much, products that overflow, alignments that no program means, realloc to
 * nothing and realloc that fails; errno where nothing failed; and how much of a
 * block may be used. Nothing is lost, whichever way it was given back.
 * Guards: a block freed by realloc(p, 0) that stays on the books; a block whose realloc failed that does not;
 * answers that are stricter than libc's.
 *
 * BUILD: -fno-builtin -Wno-alloc-size-larger-than -Wno-deprecated-declarations -Wno-use-after-free
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * RUN: whoholds run --set alloc=sample --set sample_bytes=1KiB %prog
 * RUN: whoholds run --set alloc=off %prog
 * KINDS: none
 * EXPECT-STDOUT: the allocator answers as it should
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

#define HUGE_SIZE ((size_t)PTRDIFF_MAX + 1)

static void *volatile block, *volatile other;

static void sizes_of_none(void)
{
	block = malloc(0);
	CHECK(block != NULL);
	free(block);
	block = calloc(0, 100);
	CHECK(block != NULL);
	free(block);
	free(NULL);
	for (int i = 0; i < 200; i++) {
		block = malloc(1000);
		errno = 4711;
		CHECK(realloc(block, 0) == NULL);
		CHECK_EQUAL(errno, 4711);
	}
	block = realloc(NULL, 0);
	CHECK(block != NULL);
	free(block);
	block = realloc(NULL, 100);
	memset(block, 'x', 100);
	free(block);
}

static void failures(void)
{
	errno = 0;
	CHECK(malloc(HUGE_SIZE) == NULL);
	CHECK_EQUAL(errno, ENOMEM);
	errno = 0;
	CHECK(calloc(SIZE_MAX / 2, 3) == NULL);
	CHECK_EQUAL(errno, ENOMEM);
	errno = 0;
	CHECK(reallocarray(NULL, SIZE_MAX / 2, 3) == NULL);
	CHECK_EQUAL(errno, ENOMEM);

	/* What could not grow is still there, and still ours to free. */
	block = malloc(100);
	memset(block, 'y', 100);
	errno = 0;
	CHECK(realloc(block, HUGE_SIZE) == NULL);
	CHECK_EQUAL(errno, ENOMEM);
	CHECK(reallocarray(block, SIZE_MAX / 2, 3) == NULL);
	CHECK(((char *)block)[99] == 'y');
	block = realloc(block, 200000);
	CHECK(((char *)block)[99] == 'y');
	block = realloc(block, 10);
	CHECK(((char *)block)[9] == 'y');
	free(block);

	other = (void *)0x10;
	CHECK_EQUAL(posix_memalign((void **)&other, 3, 100), EINVAL);
	CHECK_EQUAL(posix_memalign((void **)&other, 64, HUGE_SIZE), ENOMEM);
	CHECK(other == (void *)0x10);
}

static void alignments(void)
{
	for (size_t alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
		void *aligned;
		CHECK_EQUAL(posix_memalign(&aligned, alignment, 100), 0);
		CHECK((uintptr_t)aligned % alignment == 0);
		free(aligned);
		/* glibc takes a size that is no multiple. */
		block = aligned_alloc(alignment, 100);
		CHECK(block && (uintptr_t)block % alignment == 0);
		block = realloc(block, 3000);
		CHECK(block != NULL);
		free(block);
		block = memalign(alignment, 7);
		CHECK(block && (uintptr_t)block % alignment == 0);
		free(block);
	}
	block = valloc(10);
	CHECK((uintptr_t)block % 4096 == 0);
	free(block);
	block = pvalloc(10);
	CHECK((uintptr_t)block % 4096 == 0 && malloc_usable_size(block) >= 4096);
	free(block);
}

static void what_may_be_used(void)
{
	CHECK_EQUAL((long)malloc_usable_size(NULL), 0);
	for (size_t bytes = 1; bytes < 5000; bytes += 37) {
		block = malloc(bytes);
		size_t usable = malloc_usable_size(block);
		CHECK(usable >= bytes);
		/* Programs do write there. */
		memset(block, 0xa5, usable);
		other = malloc(bytes);
		memset(other, 0x5a, malloc_usable_size(other));
		for (size_t i = 0; i < usable; i++)
			CHECK(((unsigned char *)block)[i] == 0xa5);
		free(other);
		free(block);
	}
	char *zero = calloc(1000, 7);
	for (int i = 0; i < 7000; i++)
		CHECK(zero[i] == 0);
	free(zero);
}

/* Names that newer or older libcs have: to be called where they are there. */
static void names_of_other_years(void)
{
	void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
	void (*free_aligned_sized)(void *, size_t, size_t) =
	    (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
	void (*cfree)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");

	if (free_sized)
		free_sized(malloc(100), 100);
	if (free_aligned_sized)
		free_aligned_sized(aligned_alloc(64, 128), 64, 128);
	if (cfree)
		cfree(malloc(100));
}

static void errno_is_kept(void)
{
	block = malloc(100);
	other = malloc(1 << 20);
	errno = 4711;
	free(block);
	free(other);
	CHECK_EQUAL(errno, 4711);
	block = calloc(1, 10);
	CHECK_EQUAL(errno, 4711);
	free(block);
	CHECK_EQUAL(errno, 4711);
}

int main(void)
{
	sizes_of_none();
	failures();
	alignments();
	what_may_be_used();
	names_of_other_years();
	errno_is_kept();
	puts("the allocator answers as it should");
	return 0;
}
