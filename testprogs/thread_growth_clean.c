/*
 * As many requests, each with a thread of its own that answers it and ends: there are never more than a few at a time.
 *
 * RUN: whoholds run --set "thread_growth=200% in 1s" --set tick=20ms %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include "lib/requests.h"

int main(void)
{
	requests_begin();
	accept_loop(60, true);
	requests_end();
	return 0;
}
