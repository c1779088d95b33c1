/*
 * The runner's own test: has a defect that its expectation denies.
 *
 * KINDS: none
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
	return 0;
}
