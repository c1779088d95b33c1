/*
 * The calls of whoholds.h: what is open and what is allocated since a mark, by this
 * thread and those that it made; that nothing happens, and errno stays, where
 * the library is not there. Built in every way that a program is linked
 * (annotations_*.c), since a weak symbol means something else in each.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: annotations: all closed
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/show.h"
#include "whoholds.h"

static int container, iterators[3], lock, queue;
static void *volatile block;

static int expected(int count)
{
	return wh_active() ? count : 0;
}

static void *worker(void *mark)
{
	wh_iter_open(&container, &iterators[2], "by the worker");
	/* Of its own it knows; what its maker opened is not its. */
	CHECK_EQUAL(wh_open_since(*(wh_mark *)mark), expected(1));
	return NULL;
}

int main(void)
{
	wh_mark mark = wh_now();

	CHECK_EQUAL(wh_active(), getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "whoholds") ? 1 : 0);
	wh_name(&container, "sessions");
	errno = EXDEV;
	wh_iter_open(&container, &iterators[0], "first");
	wh_iter_open(&container, &iterators[1], NULL);
	CHECK_EQUAL(wh_open_since(mark), expected(2));
	pthread_join(thread_start(worker, &mark), NULL);
	CHECK_EQUAL(wh_open_since(mark), expected(3));
	wh_iter_close(&iterators[0]);
	wh_iter_close(&iterators[1]);
	wh_iter_close(&iterators[2]);
	CHECK_EQUAL(wh_open_since(mark), 0);

	/* The same handle, of two kinds. */
	wh_acquired("socket", (void *)3, "to the server");
	wh_acquired("slot", (void *)3, NULL);
	CHECK_EQUAL(wh_open_since(mark), expected(2));
	wh_released("socket", (void *)3);
	CHECK_EQUAL(wh_open_since(mark), expected(1));
	wh_mark later = wh_now();
	CHECK_EQUAL(wh_open_since(later), 0);
	wh_released("slot", (void *)3);

	wh_lock_acquired(&lock, 0);
	wh_lock_acquired(&queue, 1);
	CHECK_EQUAL(wh_open_since(mark), expected(2));
	wh_lock_released(&lock);
	wh_lock_released(&queue);
	wh_wait_begin(&queue, "jobs");
	sleep_ms(1);
	wh_wait_end(&queue);
	wh_wait_end(&queue); /* one too many */
	CHECK_EQUAL(wh_open_since(mark), 0);

	void *before = malloc(1000);
	mark = wh_now();
	block = malloc(12345);
	free(before);
	CHECK_EQUAL((long)wh_live_bytes_since(mark), expected(12345));
	block = realloc(block, 23456);
	CHECK_EQUAL((long)wh_live_bytes_since(mark), expected(23456));
	free(block);
	CHECK_EQUAL((long)wh_live_bytes_since(mark), 0);
	CHECK_EQUAL(errno, EXDEV);
	printf("annotations: all closed\n");
	return 0;
}
