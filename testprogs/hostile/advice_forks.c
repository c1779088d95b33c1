/*
 * The process forks in the middle of what its other threads tell the kernel about memory, and its children go on to do the same.
 * Guards: a lock of the library's that nobody in the child will ever give back, for which each call waits a second.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: every child came to its end
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define PAGE ((size_t)4096)
#define PAGES 1000u
#define CHILDREN 100u
#define CALLS 5u

static bool over;
static char *pages;

static void *advises(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		CHECK_EQUAL(madvise(pages + (PAGES - 1) * PAGE, PAGE, MADV_WIPEONFORK), 0);
	return unused;
}

static void be_child(void)
{
	for (unsigned i = 0; i < CALLS; i++)
		CHECK_EQUAL(madvise(pages + i * PAGE, PAGE, MADV_WIPEONFORK), 0);
	_exit(0);
}

int main(void)
{
	pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	for (unsigned i = 0; i < PAGES; i++)
		CHECK_EQUAL(madvise(pages + i * PAGE, PAGE, MADV_WIPEONFORK), 0);
	pthread_t thread = thread_start(advises, NULL);
	for (unsigned i = 0; i < CHILDREN; i++) {
		int status = -1;
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0)
			be_child();
		CHECK_EQUAL(waitpid(child, &status, 0), child);
		CHECK_EQUAL(status, 0);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	munmap(pages, PAGES * PAGE);
	puts("every child came to its end");
	return 0;
}
