/*
 * Waits for a condition with another lock held that is always the outer one, and with the condition's mutex alone.
 *
 * KINDS: none
 */
#include "lib/show.h"

static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER, item = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int is_waiting, is_filled;

static void *waits(void *unused)
{
	pthread_mutex_lock(&own);
	pthread_mutex_lock(&list);
	is_waiting = 1;
	while (!is_filled)
		pthread_cond_wait(&filled, &list);
	pthread_mutex_lock(&item);
	pthread_mutex_unlock(&item);
	pthread_mutex_unlock(&list);
	pthread_mutex_unlock(&own);
	return unused;
}

int main(void)
{
	pthread_t waiter = thread_start(waits, NULL);
	int done = 0;

	while (!done) {
		pthread_mutex_lock(&list);
		pthread_mutex_lock(&item);
		if (is_waiting) {
			done = is_filled = 1;
			pthread_cond_signal(&filled);
		}
		pthread_mutex_unlock(&item);
		pthread_mutex_unlock(&list);
		sleep_ms(1);
	}
	pthread_join(waiter, NULL);
	return 0;
}
