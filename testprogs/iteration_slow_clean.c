/*
 * Slow scans at the start, when everything is cold, and one now and then later: less than one in a hundred.
 *
 * RUN: whoholds run --set "iteration_slow=p99 > 80ms for 1s" %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include "lib/show.h"
#include "whoholds.h"

static int table;

static void scan(unsigned ms)
{
	int iterator;

	wh_iter_open(&table, &iterator, "table");
	if (ms)
		sleep_ms(ms);
	wh_iter_close(&iterator);
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		scan(100);
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 1000; i++)
			scan(0);
		sleep_ms(30);
		if (round % 10 == 0)
			scan(100);
	}
	return 0;
}
