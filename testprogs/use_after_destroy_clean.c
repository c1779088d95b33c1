/*
 * The twin: what has been destroyed is initialised before it is used again, by a call, by the static initialiser, as another kind of
 * lock, or as part of a block that took its memory; and the pool goes when its last worker has ended. Calls that
 * are refused with EINVAL for another reason are no use of a destroyed mutex.
 *
 * KINDS: none
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/check.h"
#include "lib/show.h"

struct pool {
	pthread_mutex_t lock;
	int free;
};

static struct pool pool;

static void use(pthread_mutex_t *lock)
{
	CHECK(pthread_mutex_lock(lock) == 0);
	CHECK(pthread_mutex_unlock(lock) == 0);
}

static void *worker(void *given)
{
	struct pool *own = given;
	pthread_mutex_lock(&own->lock);
	own->free++;
	pthread_mutex_unlock(&own->lock);
	return NULL;
}

static void run(struct pool *own)
{
	pthread_t thread = thread_start(worker, own);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&own->lock);
}

static void again_in_its_place(void)
{
	for (int i = 0; i < 3; i++) {
		pthread_mutex_init(&pool.lock, NULL);
		run(&pool);
	}
	pool.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	use(&pool.lock);
	pthread_mutex_destroy(&pool.lock);
	memset(&pool, 0, sizeof pool);
	use(&pool.lock);
}

static void again_in_its_memory(void)
{
	for (int i = 0; i < 100; i++) {
		struct pool *own = malloc(sizeof *own);
		CHECK(own);
		memset(own, 0, sizeof *own);
		run(own);
		free(own);
	}
}

static void as_another_kind(void)
{
	union {
		pthread_mutex_t mutex;
		pthread_rwlock_t rwlock;
	} place;
	pthread_mutex_init(&place.mutex, NULL);
	pthread_mutex_destroy(&place.mutex);
	pthread_rwlock_init(&place.rwlock, NULL);
	pthread_rwlock_rdlock(&place.rwlock);
	pthread_rwlock_unlock(&place.rwlock);
	pthread_rwlock_destroy(&place.rwlock);
}

static void refused_otherwise(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
	const struct timespec nonsense = { .tv_nsec = -1 };
	pthread_mutex_lock(&lock);
	CHECK(pthread_cond_timedwait(&changed, &lock, &nonsense) == EINVAL);
	pthread_mutex_unlock(&lock);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT);
	pthread_mutex_init(&lock, &attributes);
	/* The calling thread's priority is above the ceiling, if it has one at all. */
	if (pthread_mutex_lock(&lock) == 0)
		pthread_mutex_unlock(&lock);
	pthread_mutex_destroy(&lock);
	pthread_mutexattr_destroy(&attributes);
}

int main(void)
{
	again_in_its_place();
	again_in_its_memory();
	as_another_kind();
	refused_otherwise();
	return 0;
}
