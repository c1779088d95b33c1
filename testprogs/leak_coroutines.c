/*
 * A thread runs coroutines, each on a stack of its own out of malloc. Two of them stop in the middle and are
 * forgotten: their stacks are lost, and what these alone lead to. Another stops as well, and is still in the list.
 * Hard because: a stack that nothing points to holds many pointers into itself.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.count == 2 and .bytes >= 2 * 65536 and .indirect_bytes >= 2 * 3000) | has_frame("allocated"; "coroutine_new"; {{line lib/coroutines.h stack}})
 */
#include <stdio.h>

#include "lib/coroutines.h"
#include "lib/lose.h"
#include "lib/show.h"

static void *work(void *unused)
{
	run_all();
	list[0] = list[2] = NULL;
	wipe_stack();
	return unused;
}

int main(void)
{
	pthread_join(thread_start(work, NULL), NULL);
	puts(list[1] ? "one is left" : "none is left");
	return 0;
}
