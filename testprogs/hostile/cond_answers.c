/*
 * Condition waits: the mutex is held again after a wake-up, a time-out and a dead
 * owner; it never left where the wait was refused. And while a thread waits, it
 * holds nothing that others could want.
 * Guards: a hold that is parked is taken out, whatever way the wait ends.
 *
 * RUN: %prog
 * RUN: whoholds run --set blocked=200ms --set held=200ms %prog
 * KINDS: none
 * EXPECT-STDOUT: condition waits answer as they should
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int stage;

static void *waits(void *unused)
{
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	stage = 1;
	while (stage != 2)
		CHECK_EQUAL(pthread_cond_wait(&cond, &mutex), 0);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	return unused;
}

/* The waiter waits longer than `blocked` with its mutex parked, while this thread takes it. */
static void woken(void)
{
	pthread_t thread = thread_start(waits, NULL);
	for (int seen = 0; seen != 1; usleep(1000)) {
		CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
		seen = stage;
		CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	}
	for (int i = 0; i < 60; i++) {
		CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
		usleep(1000);
		CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
		usleep(9000);
	}
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	stage = 2;
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQUAL(pthread_cond_broadcast(&cond), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	CHECK_HELD(0);
}

static void timed_out(void)
{
	struct timespec real_time = check_in_ms(CLOCK_REALTIME, 5),
			monotonic = check_in_ms(CLOCK_MONOTONIC, 5);
	struct timespec nonsense = { 0, 1000000000 };

	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	CHECK_EQUAL(pthread_cond_timedwait(&cond, &mutex, &real_time), ETIMEDOUT);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), EDEADLK); /* it is ours */
	CHECK_EQUAL(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &monotonic), ETIMEDOUT);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_cond_timedwait(&cond, &mutex, &nonsense), EINVAL);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_HELD(0);
	/* Not ours: refused. */
	CHECK_EQUAL(pthread_cond_wait(&cond, &mutex), EPERM);
	CHECK_HELD(0);
}

static pthread_mutex_t robust;
static int ready;

static void *dies_with_it(void *unused)
{
	CHECK_EQUAL(pthread_mutex_lock(&robust), 0);
	ready = 1;
	pthread_cond_signal(&cond);
	return unused;
}

static void owner_died(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CHECK_EQUAL(pthread_mutex_init(&robust, &attributes), 0);
	CHECK_EQUAL(pthread_mutex_lock(&robust), 0);
	pthread_t thread = thread_start(dies_with_it, NULL);
	int result = 0;
	while (!ready && result == 0)
		result = pthread_cond_wait(&cond, &robust);
	CHECK_EQUAL(result, EOWNERDEAD);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	CHECK_EQUAL(pthread_mutex_consistent(&robust), 0);
	CHECK_EQUAL(pthread_mutex_unlock(&robust), 0);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_mutex_destroy(&robust), 0);
}

int main(void)
{
	check_mark();
	woken();
	timed_out();
	owner_died();
	CHECK_EQUAL(pthread_cond_destroy(&cond), 0);
	printf("condition waits answer as they should\n");
	return 0;
}
