/*
 * Locks that two processes share, over fork: what the parent had taken the child
 * has not, although its only thread is a copy of the one that took it. It waits for the parent, and in a
 * moment it gets what it wants. Nobody waits for himself.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: none
 * EXPECT-STDOUT: shared locks change hands
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

struct shared {
	pthread_mutex_t mutex, robust;
	pthread_rwlock_t rwlock;
};

static struct shared *shared;

static void init(void)
{
	pthread_mutexattr_t mutex;
	pthread_rwlockattr_t rwlock;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	CHECK_EQUAL(pthread_mutex_init(&shared->mutex, &mutex), 0);
	pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
	CHECK_EQUAL(pthread_mutex_init(&shared->robust, &mutex), 0);
	pthread_rwlockattr_init(&rwlock);
	pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
	CHECK_EQUAL(pthread_rwlock_init(&shared->rwlock, &rwlock), 0);
}

static void take_all(void)
{
	CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
	CHECK_EQUAL(pthread_mutex_lock(&shared->robust), 0);
	CHECK_EQUAL(pthread_rwlock_wrlock(&shared->rwlock), 0);
}

static void give_all(void)
{
	sleep_ms(500);
	CHECK_EQUAL(pthread_rwlock_unlock(&shared->rwlock), 0);
	sleep_ms(500);
	CHECK_EQUAL(pthread_mutex_unlock(&shared->robust), 0);
	sleep_ms(500);
	CHECK_EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
}

int main(void)
{
	init();
	take_all();
	pid_t child = fork();
	if (child == 0) {
		CHECK_EQUAL(pthread_rwlock_wrlock(&shared->rwlock), 0);
		CHECK_EQUAL(pthread_mutex_lock(&shared->robust), 0);
		CHECK_EQUAL(pthread_mutex_lock(&shared->mutex), 0);
		pthread_mutex_unlock(&shared->mutex);
		pthread_mutex_unlock(&shared->robust);
		pthread_rwlock_unlock(&shared->rwlock);
		_exit(0);
	}
	give_all();
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_EQUAL(status, 0);
	take_all();
	give_all();
	puts("shared locks change hands");
	return 0;
}
