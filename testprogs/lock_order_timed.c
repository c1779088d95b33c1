/*
 * Two locks in both orders, where the first one of either is taken by a call that would give up at some time: while it
 * has that one, each thread waits for the other for ever.
 *
 * KINDS: lock-order
 * EXPECT: mutex a and rwlock table
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "take_a_then_table"; {{line a then table}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "take_table_then_a"; {{line table then a}})
 * TWIN: lock_order_timed_clean
 */
#include "lib/lock_order_timed.h"

static void *take_a_then_table(void *unused)
{
	pthread_mutex_clocklock(&a, CLOCK_MONOTONIC, &never);
	pthread_rwlock_rdlock(&table); /* line: a then table */
	pthread_rwlock_unlock(&table);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *take_table_then_a(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	pthread_rwlock_timedwrlock(&table, &never);
	pthread_mutex_lock(&a); /* line: table then a */
	pthread_mutex_unlock(&a);
	pthread_rwlock_unlock(&table);
	return unused;
}

int main(void)
{
	return both(take_a_then_table, take_table_then_a);
}
