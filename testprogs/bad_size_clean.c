/*
 * Asks for too much on purpose, in every way, as tests of conformance do: each is refused, and the program goes on. By an
 * argument: it is replaced by another one.
 *
 * RUN: whoholds run %prog
 * RUN: whoholds run %prog exec
 * KINDS: none
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"

static void *volatile kept, *volatile old;

static void refused(void *block)
{
	kept = block;
	CHECK(!kept);
	CHECK(errno == ENOMEM || errno == EINVAL);
	errno = 0;
}

static void ask(size_t size)
{
	void *page = NULL;
	old = malloc(10);
	refused(malloc(size));
	refused(calloc(size, 1));
	refused(calloc(2, size));
	refused(realloc(NULL, size));
	refused(realloc(old, size));
	refused(reallocarray(old, size, 3));
	refused(reallocarray(NULL, 3, size));
	refused(memalign(64, size));
	refused(aligned_alloc(64, size));
	refused(valloc(size));
	refused(pvalloc(size));
	CHECK_EQUAL(posix_memalign(&page, 64, size), ENOMEM);
	CHECK_EQUAL(posix_memalign(&page, 3, 100), EINVAL);
	CHECK_EQUAL(posix_memalign(&page, 4, 100), EINVAL);
	free(old);
}

int main(int argc, char **argv)
{
	volatile size_t sizes[] = { SIZE_MAX, (size_t)-100, (size_t)PTRDIFF_MAX + 1, SIZE_MAX / 2 + 100 };
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
		ask(sizes[i]);
	free(memalign(8, 10));
	free(aligned_alloc(4, 10));
	volatile size_t odd = 33;
	free(memalign(odd, 10));
	if (argc > 1 && !strcmp(argv[1], "exec"))
		execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	return 0;
}
