/*
 * Threads that end without giving back the stack for signals that they got from malloc: nobody has it after them.
 *
 * KINDS: leak
 * TIMEOUT: 30
 * EXPECT-JSON: finding("leak") | select(.bytes == 3 * 65536 and .count == 3) | has_frame("allocated"; "take_stack"; {{line stack}})
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/lose.h"
#include "lib/show.h"

#define STACK_BYTES 65536

static __attribute__((noinline)) void take_stack(void)
{
	stack_t stack = { .ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES }; /* line: stack */
	sigaltstack(&stack, NULL);
}

static void *serve(void *unused)
{
	take_stack();
	wipe_stack();
	return unused;
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		pthread_join(thread_start(serve, NULL), NULL);
	return 0;
}
