/*
 * Two threads take two locks in opposite order, one after the other, so that nothing hangs.
 *
 * Hard because nothing goes wrong: it is only that it could have.
 *
 * KINDS: lock-order
 * EXPECT: warning lock-order:
 * EXPECT: "first"
 * EXPECT: "second"
 * EXPECT: lock_order.c:{{line second takes a}}
 * EXPECT-JSON: finding("lock-order") | .severity == "warning" and (.threads | length) == 2
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "first"; {{line first takes a}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "first"; {{line first takes b}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "second"; {{line second takes b}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "second"; {{line second takes a}})
 * EXPECT-JSON: finding("lock-order") | has_object("mutex"; "{{addr a}}") and has_object("mutex"; "{{addr b}}")
 */
#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t first_is_done;

static void *first(void *unused)
{
	show_thread("first");
	pthread_mutex_lock(&a); /* line: first takes a */
	pthread_mutex_lock(&b); /* line: first takes b */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *second(void *unused)
{
	show_thread("second");
	pthread_barrier_wait(&first_is_done);
	pthread_mutex_lock(&b); /* line: second takes b */
	pthread_mutex_lock(&a); /* line: second takes a */
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return unused;
}

int main(void)
{
	show_addr("a", &a);
	show_addr("b", &b);
	pthread_barrier_init(&first_is_done, NULL, 2);

	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
