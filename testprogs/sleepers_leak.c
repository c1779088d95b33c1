/*
 * Threads that sleep in every call that blocks have lost a block each before: what they left below their stack pointer, and in
 * registers that nobody keeps, keeps nothing. Found while they sleep, and nobody is woken or stopped for it.
 * Hard because: the search does not stop who sleeps, and so knows of his stack and registers by other means.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * TWIN: sleepers_clean
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | select(.count == 112 and .bytes == 112 * 4000) | has_frame("allocated"; "lose_one"; {{line lost}})
 */
#include "lib/lose.h"
#include "lib/sleepers.h"

#define EACH 8

static __attribute__((noinline)) void lose_one(void)
{
	volatile char *block = malloc(4000); /* line: lost */
	block[0] = 1;
}

static void *lose_and_sleep(void *argument)
{
	struct sleeper *me = argument;
	lose_one();
	wipe_stack();
	me->tid = (int)syscall(SYS_gettid);
	me->sleep();
	woken++;
	return NULL;
}

static void start(void)
{
	for (size_t i = 0; i < WAYS_TO_SLEEP * EACH; i++) {
		sleepers[sleeper_count].sleep = ways_to_sleep[i / EACH];
		thread_start(lose_and_sleep, &sleepers[sleeper_count++]);
	}
}

int main(void)
{
	return sleepers_run(start, WAYS_TO_SLEEP * EACH * 4000);
}
