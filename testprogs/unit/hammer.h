/*
 * Tables that threads share without a lock, hammered by more threads than there are processors. Each test knows what
 * has to come out whatever the order; yields are thrown in where the order matters most.
 */
#ifndef TEST_HAMMER_H
#define TEST_HAMMER_H

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/stack.h"

#include "testprogs/unit/suite.h"

#define THREADS 6

static pthread_barrier_t together;
static atomic_uint wrong;
static atomic_bool stop;

static __thread uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % limit);
}

/* Lets others come in between, at about one place in `often`. */
static void maybe_yield(uint32_t often)
{
	if (!random_below(often))
		sched_yield();
}

struct worker {
	pthread_t thread;
	void (*run)(unsigned number);
	unsigned number;
};

static void *work(void *data)
{
	const struct worker *worker = data;
	random_state = 88172645463325252u + worker->number * 7919u;
	thread_slot();
	pthread_barrier_wait(&together);
	worker->run(worker->number);
	allocation_thread_end();
	stack_thread_end();
	thread_end();
	return NULL;
}

static void start(struct worker *workers, unsigned count, void (*run)(unsigned))
{
	wrong = 0;
	stop = false;
	pthread_barrier_init(&together, NULL, count + 1);
	for (unsigned i = 0; i < count; i++) {
		workers[i].run = run;
		workers[i].number = i;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	pthread_barrier_wait(&together);
}

static void join(struct worker *workers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&together);
}

/* Runs the tests in one process, which shares a recording with them all. Return: the exit status. */
static int hammer_run(const char *name, void (*add_tests)(TCase *tcase))
{
	const char *preloaded = getenv("LD_PRELOAD");
	if (preloaded && strstr(preloaded, "vgpreload")) {
		printf("valgrind runs one thread at a time\n");
		return 77;
	}
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	add_tests(tcase);
	options_init(&options);
	recording_configure(NULL, NULL);
	random_state = 1;
	if (recording_open() != 0)
		return 1;
	int failed = suite_run_here(suite);
	recording_unlink();
	return failed ? 1 : 0;
}

#endif
