/*
 * The runner's own test: the finding is there, at another line.
 *
 * KINDS: held-at-exit
 * EXPECT-JSON: finding("held-at-exit") | has_frame("acquired"; "taker"; {{line elsewhere}})
 */
#include "lib/show.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *taker(void *unused)
{
	pthread_mutex_lock(&held);
	return unused;
}

int main(void)
{
	pthread_join(thread_start(taker, NULL), NULL);
	return 0; /* line: elsewhere */
}
