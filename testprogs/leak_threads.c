/*
 * Threads that end and lose what they had: on their stack, as their argument, as a thread-specific value without
 * a destructor. Others still run when the program ends.
 * Hard because: libc keeps the stacks of ended threads, with all that was on them.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 3
 * EXPECT-JSON: finding("leak") | select(.bytes == 6 * 1000 and .count == 6) | has_frame("allocated"; "work"; {{line local}})
 * EXPECT-JSON: finding("leak") | select(.bytes == 6 * 2000 and .count == 6) | has_frame("allocated"; "work"; {{line specific}})
 * EXPECT-JSON: finding("leak") | select(.bytes == 6 * 3000 and .count == 6) | has_frame("allocated"; "main"; {{line argument}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"
#include "lib/show.h"

static pthread_key_t key;
static pthread_barrier_t ready;

static void *work(void *argument)
{
	volatile char *local = malloc(1000); /* line: local */
	local[0] = ((char *)argument)[0];
	pthread_setspecific(key, malloc(2000)); /* line: specific */
	return NULL;
}

static void *run_on(void *unused)
{
	pthread_barrier_wait(&ready);
	for (;;)
		sleep_ms(1000);
	return unused;
}

int main(void)
{
	pthread_key_create(&key, NULL);
	pthread_barrier_init(&ready, NULL, 3);
	thread_start(run_on, NULL);
	thread_start(run_on, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(thread_start(work, calloc(1, 3000)), NULL); /* line: argument */
	pthread_barrier_wait(&ready);
	wipe_stack();
	return 0;
}
