/*
 * The twin: each waits with the mutex that it holds.
 *
 * KINDS: none
 */
#include <time.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;

static void *waits(void *unused)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 20);
	pthread_mutex_lock(&queue);
	pthread_cond_timedwait(&filled, &queue, &until);
	pthread_mutex_unlock(&queue);
	return unused;
}

int main(void)
{
	pthread_t thread = thread_start(waits, NULL);
	waits(NULL);
	pthread_join(thread, NULL);
	return 0;
}
