/*
 * The same worker, who is given an order now and then: never blocked for long at a time. And the one of the twin, where nobody asks for idle ones.
 *
 * RUN: whoholds run --set idle_blocked=3s --set tick=20ms %prog 60 often
 * RUN: whoholds run --set tick=20ms %prog 1
 * TIMEOUT: 30
 * KINDS: none
 */
#include "lib/idle_worker.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;
	worker_start();
	for (int i = 0; i < count; i++) {
		sleep_ms(argc > 2 ? 75 : 1500);
		order_give(true);
	}
	order_give(false);
	worker_end();
	return 0;
}
