/*
 * A thread waits in vfork for a child that takes its time: until that has ended it can't be stopped.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line ../lib/lose.c lost}})
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

static void *start_child(void *unused)
{
	void *volatile own = malloc(2000);
	struct timespec while_parent_waits = { .tv_nsec = 500000000 };
	if (vfork() == 0) {
		/* On the parent's stack and in its memory, so as little as can be. */
		syscall(SYS_nanosleep, &while_parent_waits, NULL);
		syscall(SYS_exit, 0);
	}
	for (;;)
		sleep_ms(1000);
	(void)own;
	return unused;
}

int main(void)
{
	thread_start(start_child, NULL);
	lose();
	wipe_stack();
	sleep_ms(100);
	return 0;
}
