/*
 * A wait for a condition gives one mutex up and keeps another, and has to get the first one back with the second one held:
 * the reverse of the order in which everybody takes them.
 *
 * Hard because no call names a lock that is taken then: the second half of pthread_cond_wait does it.
 *
 * KINDS: lock-order
 * EXPECT: mutex list and mutex item are taken in both orders
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "waits_with_item"; {{line gets it back}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "list_then_item"; {{line list then item}})
 */
#include "lib/show.h"

static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER, item = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int is_waiting, is_filled, has_left;

static void *waits_with_item(void *unused)
{
	pthread_mutex_lock(&list);
	pthread_mutex_lock(&item);
	is_waiting = 1;
	while (!is_filled)
		pthread_cond_wait(&filled, &list); /* line: gets it back */
	pthread_mutex_unlock(&item);
	pthread_mutex_unlock(&list);
	__atomic_store_n(&has_left, 1, __ATOMIC_RELEASE);
	return unused;
}

/* After the other one has left: nobody hangs this time. */
static void *list_then_item(void *unused)
{
	pthread_mutex_lock(&list);
	pthread_mutex_lock(&item); /* line: list then item */
	pthread_mutex_unlock(&item);
	pthread_mutex_unlock(&list);
	return unused;
}

int main(void)
{
	pthread_t waiter = thread_start(waits_with_item, NULL);
	int done = 0;

	while (!done) {
		pthread_mutex_lock(&list);
		if (is_waiting) {
			done = is_filled = 1;
			pthread_cond_signal(&filled);
		}
		pthread_mutex_unlock(&list);
		sleep_ms(1);
	}
	while (!__atomic_load_n(&has_left, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	list_then_item(NULL);
	pthread_join(waiter, NULL);
	return 0;
}
