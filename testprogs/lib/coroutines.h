/* Coroutines, each on a stack of its own out of malloc, that stop in the middle. Three of them, in a list. */
#ifndef TESTPROGS_COROUTINES_H
#define TESTPROGS_COROUTINES_H

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define COROUTINES 3
#define STACK_BYTES 65536u

struct coroutine {
	ucontext_t context;
	char stack[];
};

static struct coroutine *list[COROUTINES];
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

/* Each runs until it stops. The list alone leads to them afterwards. */
static __attribute__((noinline)) void run_all(void)
{
	for (int i = 0; i < COROUTINES; i++) {
		running = list[i] = coroutine_new();
		swapcontext(&scheduler, &running->context);
	}
	running = NULL;
	memset(&scheduler, 0, sizeof scheduler);
}

#endif
