/*
 * The first thread has long ended when the second begins to take the locks the other way round; but
 * nothing makes it so: both were there at once, and another time they come to it together.
 *
 * KINDS: lock-order
 * EXPECT: mutex a and mutex b are taken in both orders
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "forth"; {{line forth}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "main"; {{line back}})
 */
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void *forth(void *unused)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b); /* line: forth */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	return unused;
}

int main(void)
{
	pthread_t thread = thread_start(forth, NULL);

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		usleep(1000);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a); /* line: back */
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	pthread_join(thread, NULL);
	return 0;
}
