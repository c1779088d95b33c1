/*
 * Threads that end in every way, joined in every way: values, results and errno
 * are libc's, destructors run, and none of them is taken for one that leaked.
 * Guards: the start routine that libc is given is the library's.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: released-twice
 * EXPECT: tried to join itself, in joined
 * EXPECT-STDOUT: 2000 threads came and went
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_key_t key;
static int destroyed, ended;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Destructors allocate and lock, and come back for another round. */
static void destroy(void *value)
{
	pthread_mutex_lock(&lock);
	destroyed++;
	pthread_mutex_unlock(&lock);
	if (*(int *)value == 1)
		pthread_setspecific(key, calloc(1, sizeof(int)));
	free(value);
}

static void *returns(void *value)
{
	int *again = malloc(sizeof *again);
	*again = 1;
	pthread_setspecific(key, again);
	return value;
}

static void *exits(void *value)
{
	pthread_exit(value);
}

static void *hangs(void *unused)
{
	while (pause())
		;
	return unused;
}

static void *ends(void *unused)
{
	(void)unused;
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *detaches_itself(void *unused)
{
	CHECK_EQUAL(pthread_detach(pthread_self()), 0);
	return ends(unused);
}

static void joined(void)
{
	void *value;
	pthread_t thread = thread_start(returns, (void *)0x1234);

	CHECK_EQUAL(pthread_join(thread, &value), 0);
	CHECK_EQUAL((intptr_t)value, 0x1234);
	thread = thread_start(exits, (void *)0x4321);
	int result;
	while ((result = pthread_tryjoin_np(thread, &value)) == EBUSY)
		usleep(100);
	CHECK_EQUAL(result, 0);
	CHECK_EQUAL((intptr_t)value, 0x4321);

	thread = thread_start(hangs, NULL);
	struct timespec until = check_in_ms(CLOCK_REALTIME, 5),
			until_clock = check_in_ms(CLOCK_MONOTONIC, 10);
	CHECK_EQUAL(pthread_tryjoin_np(thread, &value), EBUSY);
	CHECK_EQUAL(pthread_timedjoin_np(thread, &value, &until), ETIMEDOUT);
	CHECK_EQUAL(pthread_clockjoin_np(thread, &value, CLOCK_MONOTONIC, &until_clock), ETIMEDOUT);
	CHECK_EQUAL(pthread_setname_np(thread, "hangs"), 0);
	CHECK_EQUAL(pthread_setname_np(thread, "a name that is too long"), ERANGE);
	char name[16];
	CHECK_EQUAL(pthread_getname_np(thread, name, sizeof name), 0);
	CHECK(name[0] == 'h' && name[5] == '\0');
	CHECK_EQUAL(pthread_cancel(thread), 0);
	until = check_in_ms(CLOCK_REALTIME, 10000);
	CHECK_EQUAL(pthread_timedjoin_np(thread, &value, &until), 0);
	CHECK(value == PTHREAD_CANCELED);
	CHECK_EQUAL(pthread_join(pthread_self(), NULL), EDEADLK);
}

int main(void)
{
	pthread_attr_t detached, small, impossible;
	int threads = 0;

	CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_attr_init(&small);
	CHECK_EQUAL(pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN), 0);
	check_mark();
	for (int i = 0; i < 100; i++)
		joined();
	CHECK_EQUAL(destroyed, 200);
	for (; threads < 2000; threads++) {
		pthread_t thread;
		int way = threads % 4;
		CHECK_EQUAL(pthread_create(&thread,
					   way == 0   ? &detached
					   : way == 1 ? &small
						      : NULL,
					   way == 2 ? detaches_itself : ends, NULL),
			    0);
		if (way == 1)
			CHECK_EQUAL(pthread_join(thread, NULL), 0);
		if (way == 3)
			CHECK_EQUAL(pthread_detach(thread), 0);
	}
	for (int i = 0; i < 5000 && __atomic_load_n(&ended, __ATOMIC_ACQUIRE) != threads; i++)
		usleep(1000);
	CHECK_EQUAL(ended, threads);

	/* One that can't be made. */
	pthread_attr_init(&impossible);
	pthread_attr_setstacksize(&impossible, (size_t)1 << 46);
	pthread_t none;
	CHECK_EQUAL(pthread_create(&none, &impossible, ends, NULL), EAGAIN);
	CHECK_HELD(0);
	printf("%d threads came and went\n", threads);
	return 0;
}
