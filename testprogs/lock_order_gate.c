/*
 * Two locks in both orders, with a third one held that both threads only read: readers don't keep
 * one another apart.
 *
 * Hard because a common outer lock excuses an inversion, but not this one.
 *
 * KINDS: lock-order
 * EXPECT: mutex a and mutex b
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "take_a_then_b"; {{line a then b}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "take_b_then_a"; {{line b then a}})
 * TWIN: lock_order_gate_clean
 */
#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t first_is_done;

static void *take_a_then_b(void *unused)
{
	pthread_rwlock_rdlock(&table);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b); /* line: a then b */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_rwlock_unlock(&table);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *take_b_then_a(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	pthread_rwlock_rdlock(&table);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a); /* line: b then a */
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	pthread_rwlock_unlock(&table);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&first_is_done, NULL, 2);
	pthread_t threads[] = { thread_start(take_a_then_b, NULL), thread_start(take_b_then_a, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
