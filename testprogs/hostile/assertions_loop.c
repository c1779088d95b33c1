/*
 * The assertions of whoholds.h in a loop of thousands, as a suite of tests makes them: what was lost since the mark, and
 * nothing else; first in one thread, then with others that allocate all the time. Without the library all of it is 0.
 * Hard because: the caller's own registers and stack must not show what the test has lost; nor may the search itself leave anything
 * behind, hold a thread still, or change errno.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: whoholds run --set leaks=off %prog
 * TIMEOUT: 240
 * KINDS: none
 * EXPECT-STDOUT: assertions: all as expected
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/lose.h"
#include "lib/show.h"
#include "whoholds.h"

#define ROUNDS 400
#define ROUNDS_AMONG_OTHERS 40

static uintptr_t hidden; /* the block that is lost, in disguise */
static volatile int ending;
static void *volatile kept;

static __attribute__((noinline)) void lose_one(size_t bytes)
{
	hidden = ~(uintptr_t)malloc(bytes);
}

static __attribute__((noinline)) void lose_two(size_t bytes)
{
	void **first = malloc(bytes);
	*first = malloc(100);
	hidden = ~(uintptr_t)first;
}

static __attribute__((noinline)) void *found(void)
{
	return (void *)~hidden;
}

static __attribute__((noinline)) void find_two(void)
{
	void **first = found();
	free(*first);
	free(first);
}

static long expected(long bytes)
{
	return wh_active() ? bytes : 0;
}

static __attribute__((noinline)) void once(void)
{
	wh_mark mark = wh_now();
	CHECK_EQUAL((long)wh_lost_bytes_since(mark), 0);
	kept = malloc(50);
	errno = EXDEV;
	CHECK_EQUAL((long)wh_lost_bytes_since(mark), 0);
	CHECK_EQUAL(errno, EXDEV);
	lose_one(64);
	wipe_stack();
	CHECK_EQUAL((long)wh_lost_bytes_since(mark), expected(64));
	CHECK_EQUAL((long)wh_lost_bytes_since(wh_now()), 0);
	free(found());
	lose_two(200);
	wipe_stack();
	CHECK_EQUAL((long)wh_lost_bytes_since(mark), expected(300));
	find_two();
	free(kept);
	kept = NULL;
	CHECK_EQUAL((long)wh_lost_bytes_since(mark), 0);
	CHECK_EQUAL(wh_open_since(mark), 0);
}

static void *worker(void *unused)
{
	while (!ending) {
		char *text = strdup("what a worker works with");
		free(text);
	}
	return unused;
}

int main(void)
{
	pthread_t workers[2];
	for (int i = 0; i < ROUNDS; i++)
		once();
	for (int i = 0; i < 2; i++)
		workers[i] = thread_start(worker, NULL);
	for (int i = 0; i < ROUNDS_AMONG_OTHERS; i++)
		once();
	ending = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(workers[i], NULL);
	printf("assertions: all as expected\n");
	return 0;
}
