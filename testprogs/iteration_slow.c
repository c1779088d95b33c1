/*
 * Scans that take 60 ms each, among many short ones of another place.
 *
 * Hard because no single one is stuck, and the mean of all is small.
 *
 * RUN: whoholds run --set "iteration_slow=p99 > 40ms for 1s" %prog
 * TIMEOUT: 30
 * KINDS: iteration-slow
 * EXPECT: warning iteration-slow: one iteration in a hundred opened in full_scan took longer than 40 ms
 * EXPECT: option iteration_slow
 * EXPECT-JSON: finding("iteration-slow") | has_frame("site"; "full_scan"; {{line scans}}) and .p50_s >= 0.05 and .longest_s >= .p99_s and .count >= 5
 */
#include "lib/show.h"
#include "whoholds.h"

static int table;

static void full_scan(void)
{
	int iterator;

	wh_iter_open(&table, &iterator, "table"); /* line: scans */
	sleep_ms(60);
	wh_iter_close(&iterator);
}

static void look_up(void)
{
	int iterator;

	wh_iter_open(&table, &iterator, "table");
	wh_iter_close(&iterator);
}

int main(void)
{
	for (int round = 0; round < 40; round++) {
		full_scan();
		for (int i = 0; i < 100; i++)
			look_up();
	}
	return 0;
}
