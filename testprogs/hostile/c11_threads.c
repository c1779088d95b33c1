/*
 * The C11 names for threads, mutexes, condition variables and once, whose results
 * are of another set than those of the pthread names.
 * Guards: hooks that answer in the wrong one, or count a lock twice.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: C11 threads answer as they should
 */
#include <errno.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

#include "lib/check.h"

static mtx_t mutex;
static cnd_t cond;
static once_flag once = ONCE_FLAG_INIT;
static int runs, stage;

static void run(void)
{
	runs++;
}

static int tries(void *timed)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 10);

	CHECK_EQUAL(mtx_trylock(timed), thrd_busy);
	CHECK_EQUAL(mtx_timedlock(timed, &until), thrd_timedout);
	return -7;
}

static int unlock_refused(void *recursive)
{
	CHECK_EQUAL(mtx_unlock(recursive), thrd_error);
	return 0;
}

static int waits(void *unused)
{
	(void)unused;
	CHECK_EQUAL(mtx_lock(&mutex), thrd_success);
	stage = 1;
	CHECK_EQUAL(cnd_signal(&cond), thrd_success);
	while (stage != 2)
		CHECK_EQUAL(cnd_wait(&cond, &mutex), thrd_success);
	CHECK_HELD(1);
	CHECK_EQUAL(mtx_unlock(&mutex), thrd_success);
	thrd_exit(11);
}

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

int main(void)
{
	thrd_t thread;
	mtx_t recursive;
	int value;

	check_mark();
	CHECK_EQUAL(mtx_init(&mutex, mtx_timed), thrd_success);
	CHECK_EQUAL(mtx_init(&recursive, mtx_recursive), thrd_success);
	CHECK_EQUAL(cnd_init(&cond), thrd_success);

	CHECK_EQUAL(mtx_lock(&mutex), thrd_success);
	CHECK_HELD(1);
	CHECK_EQUAL(thrd_create(&thread, tries, &mutex), thrd_success);
	CHECK_EQUAL(thrd_join(thread, &value), thrd_success);
	CHECK_EQUAL(value, -7);
	CHECK_EQUAL(mtx_unlock(&mutex), thrd_success);
	CHECK_HELD(0);

	CHECK_EQUAL(mtx_lock(&recursive), thrd_success);
	CHECK_EQUAL(mtx_trylock(&recursive), thrd_success);
	CHECK_EQUAL(thrd_create(&thread, unlock_refused, &recursive), thrd_success);
	CHECK_EQUAL(thrd_join(thread, NULL), thrd_success);
	CHECK_HELD(1);
	CHECK_EQUAL(mtx_unlock(&recursive), thrd_success);
	CHECK_HELD(1);
	CHECK_EQUAL(mtx_unlock(&recursive), thrd_success);
	CHECK_HELD(0);

	CHECK_EQUAL(mtx_lock(&mutex), thrd_success);
	CHECK_EQUAL(thrd_create(&thread, waits, NULL), thrd_success);
	while (stage != 1)
		CHECK_EQUAL(cnd_wait(&cond, &mutex), thrd_success);
	struct timespec until = check_in_ms(CLOCK_REALTIME, 10);
	CHECK_EQUAL(cnd_timedwait(&cond, &mutex, &until), thrd_timedout);
	CHECK_HELD(1);
	stage = 2;
	CHECK_EQUAL(cnd_broadcast(&cond), thrd_success);
	CHECK_EQUAL(mtx_unlock(&mutex), thrd_success);
	CHECK_EQUAL(thrd_join(thread, &value), thrd_success);
	CHECK_EQUAL(value, 11);
	CHECK_HELD(0);

	for (int i = 0; i < 3; i++)
		call_once(&once, run);
	CHECK_EQUAL(runs, 1);

	struct timespec time = { 0, 1000000 }, nonsense = { 0, -1 };
	CHECK_EQUAL(thrd_sleep(&time, NULL), 0);
	CHECK(thrd_sleep(&nonsense, NULL) < 0);
	CHECK_EQUAL(thrd_create(&thread, nothing, NULL), thrd_success);
	CHECK_EQUAL(thrd_detach(thread), thrd_success);

	mtx_destroy(&recursive);
	CHECK_HELD(0);
	printf("C11 threads answer as they should\n");
	return 0;
}
