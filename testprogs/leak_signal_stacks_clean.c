/*
 * Threads that live on have stacks for signals from malloc, of which nobody but the kernel keeps the address.
 *
 * RUN: whoholds run %prog
 * RUN: whoholds run --set leaks=1s %prog 2500
 * KINDS: none
 * TIMEOUT: 30
 */
#include <signal.h>
#include <stdlib.h>

#include "lib/lose.h"
#include "lib/show.h"

#define STACK_BYTES 65536

static pthread_barrier_t ready;

static __attribute__((noinline)) void take_stack(void)
{
	stack_t stack = { .ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES };
	sigaltstack(&stack, NULL);
}

static void *serve(void *unused)
{
	take_stack();
	wipe_stack();
	pthread_barrier_wait(&ready);
	return sleep_on(unused);
}

int main(int argc, char **argv)
{
	pthread_barrier_init(&ready, NULL, 4);
	for (int i = 0; i < 3; i++)
		thread_start(serve, NULL);
	pthread_barrier_wait(&ready);
	sleep_ms(argc > 1 ? atoi(argv[1]) : 50);
	return 0;
}
