/*
 * What each kind of mutex answers, and what is held after each answer: robust
 * ones (EOWNERDEAD is a success, ENOTRECOVERABLE is not), recursive,
 * error-checking, timed, priority-inheriting ones, and unlocks that are refused.
 * Guards: the hold is what libc says, not what was asked for.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * What it does to the mutexes is not all right: that is told, and changes no answer.
 * KINDS: not-owner-unlock destroyed-in-use reinit-in-use held-at-exit?
 * EXPECT-STDOUT: mutexes answer as they should
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "lib/check.h"
#include "lib/show.h"

static void make(pthread_mutex_t *mutex, int type, int robust, int protocol)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, type);
	pthread_mutexattr_setrobust(&attributes, robust);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
	pthread_mutexattr_destroy(&attributes);
}

static void *die_with_it(void *mutex)
{
	CHECK_EQUAL(pthread_mutex_lock(mutex), 0);
	return NULL;
}

static void robust(int (*lock)(pthread_mutex_t *))
{
	pthread_mutex_t mutex;
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
	pthread_join(thread_start(die_with_it, &mutex), NULL);
	CHECK_EQUAL(lock(&mutex), EOWNERDEAD);
	CHECK_HELD(1); /* ours; the dead owner's is over */
	CHECK_EQUAL(pthread_mutex_consistent(&mutex), 0);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_HELD(0);

	pthread_join(thread_start(die_with_it, &mutex), NULL);
	CHECK_EQUAL(lock(&mutex), EOWNERDEAD);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0); /* without consistent: lost for ever */
	CHECK_HELD(0);
	CHECK_EQUAL(lock(&mutex), ENOTRECOVERABLE);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
}

static int lock_until(pthread_mutex_t *mutex)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 20);
	return pthread_mutex_timedlock(mutex, &until);
}

static int lock_until_clock(pthread_mutex_t *mutex)
{
	struct timespec until = check_in_ms(CLOCK_MONOTONIC, 20);
	return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
}

static void *others(void *mutex)
{
	CHECK_EQUAL(pthread_mutex_trylock(mutex), EBUSY);
	CHECK_EQUAL(lock_until(mutex), ETIMEDOUT);
	CHECK_EQUAL(lock_until_clock(mutex), ETIMEDOUT);
	return NULL;
}

static void *unlock_refused(void *mutex)
{
	CHECK_EQUAL(pthread_mutex_unlock(mutex), EPERM);
	return NULL;
}

static void recursive(void)
{
	pthread_mutex_t mutex;
	make(&mutex, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(i == 1 ? pthread_mutex_trylock(&mutex) : pthread_mutex_lock(&mutex), 0);
	CHECK_HELD(1);
	pthread_join(thread_start(others, &mutex), NULL);
	pthread_join(thread_start(unlock_refused, &mutex), NULL);
	CHECK_HELD(1);
	for (int i = 0; i < 3; i++) {
		CHECK_HELD(1);
		CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	}
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), EPERM);
	CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
}

static void error_checking(void)
{
	pthread_mutex_t mutex;
	make(&mutex, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), EPERM);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), EDEADLK);
	CHECK_EQUAL(lock_until(&mutex), EDEADLK);
	pthread_join(thread_start(unlock_refused, &mutex), NULL);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_destroy(&mutex), EBUSY);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
}

static void *unlock_for_another(void *mutex)
{
	CHECK_EQUAL(pthread_mutex_unlock(mutex), 0);
	return NULL;
}

/* A plain mutex lets anybody unlock it, and some programs hand one over like that. */
static void handed_over(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	pthread_join(thread_start(unlock_for_another, &mutex), NULL);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_HELD(0);
}

static void inherits_priority(void)
{
	pthread_mutex_t mutex;
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	pthread_join(thread_start(others, &mutex), NULL);
	pthread_join(thread_start(unlock_refused, &mutex), NULL);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_HELD(0);
}

/* Memory of a locked one is used again: it is another mutex. */
static void used_again(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	CHECK_EQUAL(pthread_mutex_init(&mutex, NULL), 0);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
}

static void spin(void)
{
	pthread_spinlock_t lock;
	CHECK_EQUAL(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE), 0);
	CHECK_EQUAL(pthread_spin_lock(&lock), 0);
	CHECK_EQUAL(pthread_spin_trylock(&lock), EBUSY);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_spin_unlock(&lock), 0);
	CHECK_EQUAL(pthread_spin_trylock(&lock), 0);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_spin_unlock(&lock), 0);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_spin_destroy(&lock), 0);
}

static void *writer_and_reader(void *lock)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 20),
			until_clock = check_in_ms(CLOCK_MONOTONIC, 20);
	CHECK_EQUAL(pthread_rwlock_trywrlock(lock), EBUSY);
	CHECK_EQUAL(pthread_rwlock_timedwrlock(lock, &until), ETIMEDOUT);
	CHECK_EQUAL(pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &until_clock), ETIMEDOUT);
	CHECK_EQUAL(pthread_rwlock_tryrdlock(lock), 0);
	CHECK_EQUAL(pthread_rwlock_unlock(lock), 0);
	return NULL;
}

static void readers_writers(void)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	struct timespec until = check_in_ms(CLOCK_REALTIME, 20);
	CHECK_EQUAL(pthread_rwlock_rdlock(&lock), 0);
	CHECK_EQUAL(pthread_rwlock_timedrdlock(&lock, &until), 0);
	CHECK_EQUAL(pthread_rwlock_clockrdlock(&lock, CLOCK_REALTIME, &until), 0);
	CHECK_HELD(1);
	pthread_join(thread_start(writer_and_reader, &lock), NULL);
	for (int i = 0; i < 3; i++) {
		CHECK_HELD(1);
		CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
	}
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_rwlock_wrlock(&lock), 0);
	CHECK_EQUAL(pthread_rwlock_rdlock(&lock), EDEADLK);
	CHECK_EQUAL(pthread_rwlock_wrlock(&lock), EDEADLK);
	CHECK_HELD(1);
	CHECK_EQUAL(pthread_rwlock_unlock(&lock), 0);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_rwlock_destroy(&lock), 0);
}

int main(void)
{
	check_mark();
	robust(pthread_mutex_lock);
	robust(pthread_mutex_trylock);
	robust(lock_until);
	robust(lock_until_clock);
	recursive();
	error_checking();
	handed_over();
	inherits_priority();
	used_again();
	spin();
	readers_writers();
	CHECK_HELD(0);
	printf("mutexes answer as they should\n");
	return 0;
}
