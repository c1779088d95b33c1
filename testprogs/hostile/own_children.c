/*
 * The children of a program are those that it made. While it runs, a report is written of what it did
 * and a command started because of that; neither calls its handler of SIGCHLD, comes up in its wait(), or
 * is gone before its time where it ignores the signal.
 * Guards: a child of ours that the program gets to know of.
 *
 * RUN: WHOHOLDS_OPTIONS=tick=10ms:action=exec:true LD_PRELOAD=%lib %prog
 * RUN: WHOHOLDS_OPTIONS=tick=10ms:action=exec:true LD_PRELOAD=%lib %prog ignored
 * RUN: %prog
 * LEAVES: recordings
 * KINDS: not-owner-unlock
 * EXPECT: not-owner-unlock: thread 2
 * EXPECT-STDOUT: its own child alone
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"

static volatile sig_atomic_t ended;

static void note_end(int signal)
{
	(void)signal;
	ended++;
}

static void *unlock_of_another(void *mutex)
{
	pthread_mutex_unlock(mutex);
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argv;
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	signal(SIGCHLD, argc > 1 ? SIG_IGN : note_end);
	if (fork() == 0) {
		for (int i = 0; i < 20; i++)
			usleep(50000);
		_exit(3);
	}
	pthread_t thread;
	pthread_mutex_lock(&mutex);
	pthread_create(&thread, NULL, unlock_of_another, &mutex);
	pthread_join(thread, NULL);
	int status = 0;
	pid_t pid;
	while ((pid = wait(&status)) < 0 && errno == EINTR)
		;
	if (argc > 1) {
		CHECK_EQUAL(pid, -1);
		CHECK_EQUAL(errno, ECHILD);
	} else {
		CHECK_EQUAL(WEXITSTATUS(status), 3);
		CHECK_EQUAL(ended, 1);
	}
	for (int i = 0; i < 20; i++)
		usleep(50000);
	CHECK_EQUAL(wait(NULL), -1);
	CHECK_EQUAL(ended, argc > 1 ? 0 : 1);
	puts("its own child alone");
	return 0;
}
