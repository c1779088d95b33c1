/*
 * Two locks in both orders, by a thread that holds ten more of them and one that holds no other: nothing that the first
 * has besides can keep the second away.
 *
 * KINDS: lock-order
 * EXPECT: mutex a and mutex b
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "with_many"; {{line a then b}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "with_none"; {{line b then a}})
 */
#include "lib/show.h"

#define MANY 10

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t many[MANY];
static pthread_barrier_t first_is_done;

static void *with_many(void *unused)
{
	for (int i = 0; i < MANY; i++)
		pthread_mutex_lock(&many[i]);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b); /* line: a then b */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	for (int i = MANY; i-- > 0;)
		pthread_mutex_unlock(&many[i]);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *with_none(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a); /* line: b then a */
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&first_is_done, NULL, 2);
	for (int i = 0; i < MANY; i++)
		pthread_mutex_init(&many[i], NULL);
	pthread_t threads[] = { thread_start(with_many, NULL), thread_start(with_none, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
