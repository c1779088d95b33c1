/*
 * A worker waits for an order that will never come. It holds nothing and is in nobody's way: told only where that is asked for.
 *
 * RUN: whoholds run --set idle_blocked=300ms --set tick=20ms %prog
 * TIMEOUT: 30
 * KINDS: blocked
 * EXPECT-JSON: finding("blocked") | .severity == "info" and has_frame("blocked"; "next_order"; {{line lib/idle_worker.h waits}})
 */
#include "lib/idle_worker.h"

int main(void)
{
	worker_start();
	sleep_ms(1500);
	order_give(false);
	worker_end();
	return 0;
}
