/*
 * A pool is torn down while a worker still has something to give back to it: the worker's lock and unlock of the
 * pool's mutex fail, and nobody looks. Who tears it down does so twice, and then waits for its condition. The same by the C11 names.
 *
 * KINDS: destroyed-in-use
 * EXPECT: thread 2 "late" locked mutex pool.lock, which thread 1 "main" had destroyed already
 * EXPECT: thread 2 "late" unlocked mutex pool.lock, which thread 1 "main" had destroyed already
 * EXPECT: thread 1 "main" destroyed mutex pool.lock, which it had destroyed already
 * EXPECT: thread 1 "main" used mutex pool.lock, which it had destroyed already
 * EXPECT: thread 1 "main" locked mutex c11_lock, which it had destroyed already
 * EXPECT-NOT: never initialised
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("used"; "late"; {{line locks}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("used"; "late"; {{line unlocks}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "pool_close"; {{line destroys}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("used"; "main"; {{line waits}})
 */
#include <errno.h>
#include <threads.h>

#include "lib/check.h"
#include "lib/show.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int free;
} pool;

static mtx_t c11_lock;

static void *late(void *unused)
{
	show_thread("late");
	CHECK(pthread_mutex_lock(&pool.lock) == EINVAL); /* line: locks */
	pool.free++;
	CHECK(pthread_mutex_unlock(&pool.lock) == EINVAL); /* line: unlocks */
	return unused;
}

static void pool_close(void)
{
	CHECK(pthread_mutex_destroy(&pool.lock) == 0); /* line: destroys */
}

int main(void)
{
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.changed, NULL);
	pool_close();
	pthread_t thread = thread_start(late, NULL);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&pool.lock);
	CHECK(pthread_cond_wait(&pool.changed, &pool.lock) == EINVAL); /* line: waits */

	mtx_init(&c11_lock, mtx_plain);
	mtx_destroy(&c11_lock);
	CHECK(mtx_lock(&c11_lock) == thrd_error);
	return 0;
}
