/*
 * A server that starts a thread for each request, which none of them ever answers: soon there are many more than before.
 *
 * RUN: whoholds run --set "thread_growth=200% in 1s" --set tick=20ms %prog
 * TIMEOUT: 30
 * KINDS: thread-growth
 * EXPECT-JSON: finding("thread-growth") | .severity == "warning" and has_frame("created"; "accept_loop"; {{line lib/requests.h request}})
 */
#include "lib/requests.h"

int main(void)
{
	requests_begin();
	accept_loop(60, false);
	requests_end();
	return 0;
}
