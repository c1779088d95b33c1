/*
 * Two threads wait for one condition, each with the mutex of its own queue: libc ties the condition to one of them.
 *
 * Hard because each of the calls is right by itself.
 *
 * TIMEOUT: 40
 * KINDS: cond-misuse
 * EXPECT: error cond-misuse: thread
 * EXPECT: waited for condition changed at the same time with different mutexes, mutex
 * EXPECT-JSON: finding("cond-misuse") | has_object("cond"; "{{addr changed}}") and has_object("mutex"; "{{addr orders}}") and has_object("mutex"; "{{addr bills}}")
 * EXPECT-JSON: finding("cond-misuse") | has_thread({{tid orders}}) and has_thread({{tid bills}})
 * EXPECT-JSON: finding("cond-misuse") | has_frame("waits"; "await"; {{line waits}}) and has_frame("other"; "await"; {{line waits}})
 */
#include <time.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t orders = PTHREAD_MUTEX_INITIALIZER, bills = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void await(pthread_mutex_t *queue)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 5000);

	pthread_mutex_lock(queue);
	pthread_cond_timedwait(&changed, queue, &until); /* line: waits */
	pthread_mutex_unlock(queue);
}

static void *awaits_orders(void *unused)
{
	show_thread("orders");
	await(&orders);
	return unused;
}

static void *awaits_bills(void *unused)
{
	show_thread("bills");
	await(&bills);
	return unused;
}

int main(void)
{
	show_addr("changed", &changed);
	show_addr("orders", &orders);
	show_addr("bills", &bills);
	pthread_t threads[] = { thread_start(awaits_orders, NULL), thread_start(awaits_bills, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
