/*
 * The twin: each of these locks lies below the stack pointer of a thread that stands still, and yet lives. It is in a frame
 * that was suspended, of a coroutine whose stack is a variable of the thread's, or of the thread itself while the
 * coroutine runs; or in a frame that a signal handler interrupted, which waits on a stack of its own; or at one end of
 * memory that the program gave to a thread for its stack. And a frame is left with nobody in it.
 *
 * KINDS: none
 */
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define STACK_BYTES 65536
#define LONG_MS 600 /* several looks */

struct lent {
	pthread_mutex_t lock;
	int tid;
};

static void *borrower(void *data)
{
	struct lent *lent = data;
	__atomic_store_n(&lent->tid, check_tid(), __ATOMIC_RELEASE);
	pthread_mutex_lock(&lent->lock);
	pthread_mutex_unlock(&lent->lock);
	return NULL;
}

static pthread_t lend(struct lent *lent)
{
	pthread_mutex_init(&lent->lock, NULL);
	lent->tid = 0;
	pthread_mutex_lock(&lent->lock);
	pthread_t thread = thread_start(borrower, lent);
	while (!__atomic_load_n(&lent->tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	check_blocked(lent->tid);
	return thread;
}

static void give_back(struct lent *lent, pthread_t thread)
{
	pthread_mutex_unlock(&lent->lock);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&lent->lock);
}

static ucontext_t outside, inside;

static void coroutine(void)
{
	usleep(LONG_MS * 1000);
	swapcontext(&inside, &outside);
}

/* Deeper than the memory that the coroutine runs on. */
__attribute__((noinline)) static void suspended(void)
{
	struct lent lent;
	pthread_t thread = lend(&lent);
	swapcontext(&outside, &inside);
	give_back(&lent, thread);
}

static void *around_coroutine(void *unused)
{
	char stack[STACK_BYTES];
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof stack;
	inside.uc_link = NULL;
	makecontext(&inside, coroutine, 0);
	suspended();
	return unused;
}

static void handler(int signal)
{
	(void)signal;
	usleep(LONG_MS * 1000);
}

__attribute__((noinline)) static void interrupted(void)
{
	struct lent lent;
	pthread_t thread = lend(&lent);
	raise(SIGUSR1);
	give_back(&lent, thread);
}

static void *around_handler(void *unused)
{
	stack_t stack = { .ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES }, old;
	CHECK(sigaltstack(&stack, &old) == 0);
	interrupted();
	CHECK(sigaltstack(&old, NULL) == 0);
	free(stack.ss_sp);
	return unused;
}

static void *stands_still(void *unused)
{
	usleep(LONG_MS * 1000);
	return unused;
}

/* What is not the thread's to use is at the far end of it. */
static void in_given_memory(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	char *memory =
	    mmap(NULL, 4 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	struct lent *lent = (struct lent *)(void *)memory;
	pthread_attr_init(&attributes);
	CHECK(pthread_attr_setstack(&attributes, memory, 4 * STACK_BYTES) == 0);
	CHECK(pthread_create(&thread, &attributes, stands_still, NULL) == 0);
	pthread_t borrows = lend(lent);
	pthread_join(thread, NULL);
	give_back(lent, borrows);
	munmap(memory, 4 * STACK_BYTES);
}

__attribute__((noinline)) static void left_in_order(void)
{
	struct lent lent;
	give_back(&lent, lend(&lent));
}

int main(void)
{
	CHECK(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handler, .sa_flags = SA_ONSTACK },
			NULL) == 0);
	around_coroutine(NULL);
	around_handler(NULL);
	left_in_order();
	usleep(LONG_MS * 1000);
	pthread_join(thread_start(around_coroutine, NULL), NULL);
	pthread_join(thread_start(around_handler, NULL), NULL);
	in_given_memory();
	return 0;
}
