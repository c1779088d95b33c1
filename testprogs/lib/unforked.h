/*
 * Places that a copy of the process has not got, has empty, or has with large pages, and blocks that only these point to.
 */
#ifndef TESTPROGS_UNFORKED_H
#define TESTPROGS_UNFORKED_H

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/check.h"

#define UNFORKED_PLACES 5u
#define UNFORKED_BLOCKS 4u
#define UNFORKED_PAGE 4096u
#define UNFORKED_LARGE (4u << 20)
#define UNFORKED_SPACE ((size_t)1 << 30) /* set aside, as node does for code; one page of it is used */

struct unforked_places {
	void **at[UNFORKED_PLACES]; /* room for UNFORKED_BLOCKS pointers each */
};

static void **unforked_map(size_t bytes, int advice)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	CHECK(madvise(at, bytes, advice) == 0 || advice == MADV_HUGEPAGE);
	return at;
}

static void **unforked_set_aside(void)
{
	void *space =
	    mmap(NULL, UNFORKED_SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(space != MAP_FAILED && madvise(space, UNFORKED_SPACE, MADV_DONTFORK) == 0);
	void *page = (char *)space + UNFORKED_SPACE / 2;
	CHECK(mprotect(page, UNFORKED_PAGE, PROT_READ | PROT_WRITE) == 0);
	return page;
}

static void unforked_make(struct unforked_places *places)
{
	void *of_heap = aligned_alloc(UNFORKED_PAGE, UNFORKED_PAGE);
	CHECK(of_heap && madvise(of_heap, UNFORKED_PAGE, MADV_DONTFORK) == 0);
	places->at[0] = unforked_map(16 * UNFORKED_PAGE, MADV_DONTFORK);
	places->at[1] = of_heap;
	places->at[2] = unforked_map(UNFORKED_PAGE, MADV_WIPEONFORK);
	places->at[3] = unforked_map(UNFORKED_LARGE, MADV_HUGEPAGE);
	places->at[4] = unforked_set_aside();
}

static __attribute__((noinline)) void unforked_fill(void **place)
{
	for (unsigned i = 0; i < UNFORKED_BLOCKS; i++)
		place[i] = malloc(100); /* line: fill */
}

/* Long enough for a few searches; with something to do, since who does nothing is not looked at. */
static void unforked_wait(void)
{
	for (unsigned i = 0; i < 80; i++) {
		free(malloc(10 + i));
		usleep(50000);
	}
}

static void unforked_empty(void **place)
{
	for (unsigned i = 0; i < UNFORKED_BLOCKS; i++) {
		free(place[i]);
		place[i] = NULL;
	}
}

#endif
