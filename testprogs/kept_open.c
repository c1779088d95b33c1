/*
 * What a program may well keep to its end (a named semaphore, timers, keys) is in the list of what is open, by the place that
 * made it; what it has given back is not.
 *
 * RUN: whoholds run %prog
 * HANGS: yes
 * KINDS: none
 * EXPECT-STDOUT: open since the mark: 4
 * EXPECT-DUMP: resource "named semaphore" open
 * EXPECT-DUMP: 2 resources "timer" open, the oldest
 * EXPECT-DUMP: resource "thread-specific key" open
 * EXPECT-DUMP: makes_timers          kept_open.h:{{line lib/kept_open.h timer}}
 */
#include "lib/kept_open.h"

#include "whoholds.h"

int main(void)
{
	wh_mark mark = wh_now();
	int failed = 0;
	for (int i = 0; i < 3; i++)
		failed |= makes_all() | gives_all_back();
	failed |= makes_all();
	printf("open since the mark: %d\n", wh_open_since(mark));
	fflush(stdout);
	if (failed)
		return 1;
	for (;;)
		pause();
}
