/*
 * A thread runs coroutines, each on a stack of its own out of malloc. Two of them stop in the middle and are
 * forgotten: their stacks are lost, and what these alone lead to. Another stops as well, and is still in the list.
 * Hard because: a stack that nothing points to holds many pointers into itself.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.count == 2 and .bytes >= 2 * 65536 and .indirect_bytes >= 2 * 3000) | has_frame("allocated"; "coroutine_new"; {{line stack}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "lib/lose.h"
#include "lib/show.h"

#define STACK_BYTES 65536u

struct coroutine {
	ucontext_t context;
	char stack[];
};

static struct coroutine *list[3];
static ucontext_t scheduler;
static struct coroutine *running;

static void body(void)
{
	struct coroutine *self = running;
	char *volatile buffer = malloc(3000);
	memset(buffer, 'b', 3000);
	swapcontext(&self->context, &scheduler);
	free(buffer);
}

static __attribute__((noinline)) struct coroutine *coroutine_new(void)
{
	struct coroutine *made = malloc(sizeof *made + STACK_BYTES); /* line: stack */
	getcontext(&made->context);
	made->context.uc_stack.ss_sp = made->stack;
	made->context.uc_stack.ss_size = STACK_BYTES;
	made->context.uc_link = &scheduler;
	makecontext(&made->context, body, 0);
	return made;
}

static __attribute__((noinline)) void run_all(void)
{
	for (int i = 0; i < 3; i++) {
		running = list[i] = coroutine_new();
		swapcontext(&scheduler, &running->context);
	}
}

static void *work(void *unused)
{
	run_all();
	running = list[0] = list[2] = NULL;
	memset(&scheduler, 0, sizeof scheduler);
	wipe_stack();
	return unused;
}

int main(void)
{
	pthread_join(thread_start(work, NULL), NULL);
	puts(list[1] ? "one is left" : "none is left");
	return 0;
}
