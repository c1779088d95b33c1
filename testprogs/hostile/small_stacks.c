/*
 * Allocations, locks, files and waits on stacks that leave no room: threads with
 * the least that libc allows, signal handlers on alternate stacks, coroutines on
 * stacks from malloc, frames without end.
 * Guards: a hook that needs kilobytes, or that trusts the bounds of a stack.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: whoholds run --set depth=256 %prog
 * RUN: whoholds run --set verify_stacks=1 %prog
 * KINDS: none
 * TIMEOUT: 60
 * EXPECT-STDOUT: there was room
 */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t seen;
static atomic_int handled;

static void work(void)
{
	pthread_mutex_lock(&lock);
	char *text = malloc(1000);
	text = realloc(text, 5000);
	struct timespec past = { 0, 0 };
	pthread_cond_timedwait(&cond, &lock, &past);
	free(text);
	pthread_mutex_unlock(&lock);
	usleep(10);
}

static void *on_little(void *unused)
{
	for (int i = 0; i < 50; i++)
		work();
	return unused;
}

static void handler(int signal)
{
	(void)signal;
	int zero;

	/* What a handler may call. */
	sem_getvalue(&seen, &zero);
	sem_post(&seen);
	handled++;
}

static void *is_interrupted(void *unused)
{
	stack_t alternate = { .ss_sp = malloc(MINSIGSTKSZ + 4096), .ss_size = MINSIGSTKSZ + 4096 };

	CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
	for (int i = 0; i < 300; i++) {
		/* Wherever it is: in the allocator, in a lock, in between. */
		if (i % 3 == 0)
			pthread_kill(pthread_self(), SIGUSR1);
		work();
	}
	stack_t none = { .ss_flags = SS_DISABLE };
	sigaltstack(&none, NULL);
	free(alternate.ss_sp);
	return unused;
}

static ucontext_t outside, inside;
static int switches;

static void coroutine(void)
{
	for (;;) {
		work();
		switches++;
		swapcontext(&inside, &outside);
	}
}

static void coroutines(void)
{
	size_t bytes = 16384;
	char *stack = malloc(bytes);

	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = bytes;
	inside.uc_link = &outside;
	makecontext(&inside, coroutine, 0);
	for (int i = 0; i < 100; i++) {
		swapcontext(&outside, &inside);
		work();
	}
	CHECK_EQUAL(switches, 100);
	free(stack);
}

/* Deeper than any stack that is kept. */
static __attribute__((noinline)) int deep(int levels)
{
	int result = levels ? deep(levels - 1) + 1 : (work(), 0);

	__asm__ volatile("" ::: "memory");
	return result;
}

int main(void)
{
	pthread_attr_t little;
	pthread_t threads[8];
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART };

	sem_init(&seen, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	pthread_attr_init(&little);
	CHECK_EQUAL(pthread_attr_setstacksize(&little, PTHREAD_STACK_MIN), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQUAL(pthread_create(&threads[i], &little, on_little, NULL), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&little);

	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(is_interrupted, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQUAL(handled, 300);
	coroutines();
	CHECK_EQUAL(deep(20000), 20000);
	sem_destroy(&seen);
	puts("there was room");
	return 0;
}
