/*
 * The runner's own test: the finding names another object than the one expected.
 *
 * KINDS: held-at-exit
 * EXPECT-JSON: finding("held-at-exit") | has_object("mutex"; "{{addr other}}")
 */
#include "lib/show.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;

static void *taker(void *unused)
{
	pthread_mutex_lock(&held);
	return unused;
}

int main(void)
{
	show_addr("other", &other);
	pthread_join(thread_start(taker, NULL), NULL);
	return 0;
}
