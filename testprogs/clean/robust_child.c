/*
 * Children end with a robust mutex held that is shared between processes: by _exit, by returning from main, and by a thread that
 * ends. That is what such a mutex is for, and whoever gets it next is told. Each child knows the mutex from its
 * parent, which made it.
 *
 * KINDS: none
 * EXPECT-STDOUT: told 3 times
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t *lock;

static void *leaves_locked(void *unused)
{
	CHECK_EQUAL(pthread_mutex_lock(lock), 0);
	return unused;
}

static void child(int how)
{
	if (how == 2) {
		pthread_join(thread_start(leaves_locked, NULL), NULL);
		exit(0);
	}
	CHECK_EQUAL(pthread_mutex_lock(lock), 0);
	if (how == 1)
		exit(0);
	_exit(0);
}

int main(void)
{
	pthread_mutexattr_t attributes;
	int told = 0, status = -1;
	void *shared = mmap(NULL, sizeof *lock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	lock = shared;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	CHECK_EQUAL(pthread_mutex_init(lock, &attributes), 0);
	for (int how = 0; how < 3; how++) {
		pid_t pid = fork();
		if (pid == 0)
			child(how);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		told += pthread_mutex_lock(lock) == EOWNERDEAD;
		CHECK_EQUAL(pthread_mutex_consistent(lock), 0);
		CHECK_EQUAL(pthread_mutex_unlock(lock), 0);
	}
	CHECK_EQUAL(pthread_mutex_destroy(lock), 0);
	printf("told %d times\n", told);
	return 0;
}
