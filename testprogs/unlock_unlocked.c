/*
 * Locks of each kind that are released once more than they were taken. For a reader-writer lock
 * this is the worst: its count of readers goes below zero.
 *
 * KINDS: not-owner-unlock
 * EXPECT: which nobody held
 * EXPECT-JSON: [finding("not-owner-unlock")] | length == 6
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "plain"; {{line plain}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "never_taken"; {{line never}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "adaptive"; {{line adaptive}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "readers_writers"; {{line rwlock}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "spin"; {{line spin}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "c11"; {{line c11}})
 */
#include <pthread.h>
#include <threads.h>

static void plain(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_mutex_unlock(&lock); /* line: plain */
}

static void never_taken(void)
{
	static pthread_mutex_t lock;
	pthread_mutex_unlock(&lock); /* line: never */
}

static void adaptive(void)
{
	pthread_mutex_t lock;
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&lock, &attributes);
	pthread_mutex_unlock(&lock); /* line: adaptive */
}

static void readers_writers(void)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_rwlock_wrlock(&lock);
	pthread_rwlock_unlock(&lock);
	pthread_rwlock_unlock(&lock); /* line: rwlock */
}

static void spin(void)
{
	pthread_spinlock_t lock;
	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_lock(&lock);
	pthread_spin_unlock(&lock);
	pthread_spin_unlock(&lock); /* line: spin */
}

static void c11(void)
{
	mtx_t lock;
	mtx_init(&lock, mtx_plain);
	mtx_lock(&lock);
	mtx_unlock(&lock);
	mtx_unlock(&lock); /* line: c11 */
}

int main(void)
{
	plain();
	never_taken();
	adaptive();
	readers_writers();
	spin();
	c11();
	return 0;
}
