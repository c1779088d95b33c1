/*
 * The process ends in a signal handler that runs on a stack from malloc, on top of code that runs on the thread's own.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-STATUS: 5
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line ../lib/lose.c lost}})
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

static void end(int number)
{
	void *volatile own = malloc(2000);
	(void)number;
	lose();
	wipe_stack();
	exit(own ? 5 : 6);
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
