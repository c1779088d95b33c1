/*
 * A queue is closed while a worker has still something to say: it signals the condition, and locks the readers-writer lock, once these are
 * destroyed. Who closes it does so twice. libc answers 0 to all of it.
 *
 * KINDS: destroyed-in-use
 * EXPECT: thread 2 "late" signalled condition queue.filled, which thread 1 "main" had destroyed already
 * EXPECT: thread 2 "late" waited for condition queue.filled, which thread 1 "main" had destroyed already
 * EXPECT: thread 2 "late" locked rwlock queue.names, which thread 1 "main" had destroyed already
 * EXPECT: thread 1 "main" destroyed condition queue.filled, which it had destroyed already
 * EXPECT: thread 1 "main" destroyed rwlock twice, which it had destroyed already
 * EXPECT: thread 1 "main" signalled condition c11_filled, which it had destroyed already
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("used"; "late"; {{line signals}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("used"; "late"; {{line waits}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("used"; "late"; {{line reads}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "queue_close"; {{line destroys}})
 * EXPECT-JSON: [.findings[] | select(.kind == "destroyed-in-use")] | length == 6
 */
#include <errno.h>
#include <threads.h>
#include <time.h>

#include "lib/check.h"
#include "lib/show.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_rwlock_t names;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER };

static pthread_rwlock_t twice = PTHREAD_RWLOCK_INITIALIZER;
static cnd_t c11_filled;

static void *late(void *unused)
{
	show_thread("late");
	const struct timespec past = { 0 };
	CHECK_EQUAL(pthread_cond_signal(&queue.filled), 0); /* line: signals */
	pthread_mutex_lock(&queue.lock);
	CHECK_EQUAL(pthread_cond_timedwait(&queue.filled, &queue.lock, &past), ETIMEDOUT); /* line: waits */
	pthread_mutex_unlock(&queue.lock);
	CHECK_EQUAL(pthread_rwlock_rdlock(&queue.names), 0); /* line: reads */
	pthread_rwlock_unlock(&queue.names);
	return unused;
}

static void queue_close(void)
{
	CHECK_EQUAL(pthread_cond_destroy(&queue.filled), 0); /* line: destroys */
	CHECK_EQUAL(pthread_rwlock_destroy(&queue.names), 0);
}

static void write_one(pthread_rwlock_t *lock)
{
	CHECK_EQUAL(pthread_rwlock_wrlock(lock), 0);
	CHECK_EQUAL(pthread_rwlock_unlock(lock), 0);
}

int main(void)
{
	write_one(&queue.names);
	queue_close();
	pthread_t thread = thread_start(late, NULL);
	pthread_join(thread, NULL);
	CHECK_EQUAL(pthread_cond_destroy(&queue.filled), 0);

	write_one(&twice);
	CHECK_EQUAL(pthread_rwlock_destroy(&twice), 0);
	CHECK_EQUAL(pthread_rwlock_destroy(&twice), 0);

	cnd_init(&c11_filled);
	cnd_destroy(&c11_filled);
	CHECK_EQUAL(cnd_signal(&c11_filled), thrd_success);
	return 0;
}
