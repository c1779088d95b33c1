/*
 * Three threads, three locks, each thread takes two: no two of them take the same two the other way
 * round, and yet all three at once can wait in a ring. One of the locks is a readers-writer lock.
 *
 * KINDS: lock-order
 * EXPECT: in orders that make a ring
 * EXPECT: "one"
 * EXPECT: "three"
 * EXPECT-JSON: finding("lock-order") | (.threads | length) == 3 and .count == 3
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "one"; {{line one}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "two"; {{line two}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "three"; {{line three}})
 * EXPECT-JSON: finding("lock-order") | has_object("mutex"; "{{addr a}}") and has_object("rwlock"; "{{addr c}}")
 */
#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t c = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t all, next;

static void *one(void *unused)
{
	show_thread("one");
	pthread_barrier_wait(&all);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b); /* line: one */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&next);
	pthread_barrier_wait(&next);
	return unused;
}

static void *two(void *unused)
{
	show_thread("two");
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&next);
	pthread_mutex_lock(&b);
	pthread_rwlock_wrlock(&c); /* line: two */
	pthread_rwlock_unlock(&c);
	pthread_mutex_unlock(&b);
	pthread_barrier_wait(&next);
	return unused;
}

static void *three(void *unused)
{
	show_thread("three");
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&next);
	pthread_barrier_wait(&next);
	pthread_rwlock_rdlock(&c);
	pthread_mutex_lock(&a); /* line: three */
	pthread_mutex_unlock(&a);
	pthread_rwlock_unlock(&c);
	return unused;
}

int main(void)
{
	show_addr("a", &a);
	show_addr("c", &c);
	pthread_barrier_init(&all, NULL, 3);
	pthread_barrier_init(&next, NULL, 3);
	pthread_t threads[] = { thread_start(one, NULL), thread_start(two, NULL), thread_start(three, NULL) };
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
