/*
 * Two locks in both orders, but who takes them one way gives up the second one at some time, by any of the calls that do:
 * nobody waits for ever.
 *
 * KINDS: none
 */
#include "lib/lock_order_timed.h"

static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t list = PTHREAD_RWLOCK_INITIALIZER;

static void *take_table_in_time(void *unused)
{
	pthread_mutex_lock(&a);
	if (pthread_rwlock_timedrdlock(&table, &never) == 0)
		pthread_rwlock_unlock(&table);
	if (pthread_rwlock_timedwrlock(&table, &never) == 0)
		pthread_rwlock_unlock(&table);
	if (pthread_rwlock_clockrdlock(&table, CLOCK_MONOTONIC, &never) == 0)
		pthread_rwlock_unlock(&table);
	if (pthread_rwlock_clockwrlock(&table, CLOCK_MONOTONIC, &never) == 0)
		pthread_rwlock_unlock(&table);
	pthread_mutex_unlock(&a);
	pthread_rwlock_rdlock(&list);
	if (pthread_mutex_timedlock(&b, &never) == 0)
		pthread_mutex_unlock(&b);
	if (pthread_mutex_clocklock(&b, CLOCK_MONOTONIC, &never) == 0)
		pthread_mutex_unlock(&b);
	pthread_rwlock_unlock(&list);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *take_table_then_a(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	pthread_rwlock_wrlock(&table);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_rwlock_unlock(&table);
	pthread_mutex_lock(&b);
	pthread_rwlock_wrlock(&list);
	pthread_rwlock_unlock(&list);
	pthread_mutex_unlock(&b);
	return unused;
}

int main(void)
{
	return both(take_table_in_time, take_table_then_a);
}
