/*
 * The process ends in a signal handler that runs on a stack from malloc, on top of code that runs on the thread's own.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-STATUS: 5
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lost}})
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/show.h"

static __attribute__((noinline)) void lose(void)
{
	for (int i = 0; i < 5; i++)
		*(volatile char *)malloc(1000) = 'x'; /* line: lost */
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

static void end(int number)
{
	void *volatile own = malloc(2000);
	(void)number;
	lose();
	wipe_stack();
	exit(own ? 5 : 6);
}

static void *sleep_on(void *unused)
{
	void *volatile own = malloc(2000);
	for (;;)
		sleep_ms(1000);
	(void)own;
	return unused;
}

int main(void)
{
	void *volatile own = malloc(3000);
	stack_t alternate = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct sigaction action = { .sa_handler = end, .sa_flags = SA_ONSTACK };
	thread_start(sleep_on, NULL);
	sleep_ms(20);
	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	return own != NULL;
}
