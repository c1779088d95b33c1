/*
 * robust_owner, put right: who is told that the owner died has the mutex, puts what it guards in order, says so, and
 * releases it. Where that is not to be done, it is released as it is, and nobody will ever get it: ENOTRECOVERABLE.
 *
 * TIMEOUT: 30
 * KINDS: none
 * LEAVES: recordings
 * EXPECT-STDOUT: put in order once, 4 updates; given up: ENOTRECOVERABLE
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static struct shared {
	pthread_mutex_t lock;
	int value, repaired;
} * shared;

static void *update(void *unused)
{
	int error = pthread_mutex_lock(&shared->lock);

	if (error == EOWNERDEAD) {
		shared->repaired++;
		pthread_mutex_consistent(&shared->lock);
	} else if (error) {
		return NULL;
	}
	shared->value++;
	pthread_mutex_unlock(&shared->lock);
	return unused;
}

static void kill_owner(void)
{
	pid_t child = fork();

	if (child == 0) {
		pthread_mutex_lock(&shared->lock);
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
}

int main(void)
{
	pthread_mutexattr_t attributes;
	pthread_t threads[4];

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->lock, &attributes);
	kill_owner();
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(update, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("put in order once, %d updates; ", shared->repaired == 1 ? shared->value : -1);

	kill_owner();
	if (pthread_mutex_lock(&shared->lock) != EOWNERDEAD || pthread_mutex_unlock(&shared->lock) != 0)
		return 1;
	printf("given up: %s\n", strerrorname_np(pthread_mutex_lock(&shared->lock)));
	return 0;
}
