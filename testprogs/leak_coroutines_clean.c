/*
 * As in leak_coroutines, and all three are still in the list: none is lost, nor what they have on their stacks.
 *
 * KINDS: none
 */
#include <stdio.h>

#include "lib/coroutines.h"
#include "lib/lose.h"
#include "lib/show.h"

static void *work(void *unused)
{
	run_all();
	wipe_stack();
	return unused;
}

int main(void)
{
	pthread_join(thread_start(work, NULL), NULL);
	puts(list[0] && list[1] && list[2] ? "all are left" : "some are not");
	return 0;
}
