/*
 * exit, _exit, quick_exit, abort and a return from main while other threads
 * allocate, lock, wait and make threads: the process ends, soon, with its status.
 * Guards: an end that waits for a thread, or takes down what others still use.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * LEAVES: recordings
 * KINDS: none held-at-exit?
 * TIMEOUT: 60
 * EXPECT-STDOUT: 25 ends
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int quiet_pipe[2];

static void *allocates(void *unused)
{
	for (;;) {
		void *block = malloc(500);
		pthread_mutex_lock(&lock);
		block = realloc(block, 900);
		pthread_mutex_unlock(&lock);
		free(block);
	}
	return unused;
}

static void *waits(void *unused)
{
	char byte;

	while (read(quiet_pipe[0], &byte, 1) < 0)
		;
	return unused;
}

static void *ends(void *unused)
{
	return unused;
}

static void *makes_threads(void *unused)
{
	for (;;)
		pthread_join(thread_start(ends, NULL), NULL);
	return unused;
}

static void *calls_exit(void *status)
{
	sleep_ms(5);
	exit((int)(size_t)status);
}

static void child(int way)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	thread_start(allocates, NULL);
	thread_start(allocates, NULL);
	thread_start(waits, NULL);
	thread_start(makes_threads, NULL);
	sleep_ms(10);
	switch (way) {
	case 0:
		exit(10);
	case 1:
		_exit(11);
	case 2:
		quick_exit(12);
	case 3:
		abort();
	default:
		thread_start(calls_exit, (void *)14);
		for (;;)
			pause();
	}
}

int main(void)
{
	int count = 0;

	if (pipe(quiet_pipe))
		return 1;
	for (int i = 0; i < 25; i++) {
		int way = i % 5, status = -1;
		pid_t pid = fork();
		if (pid == 0)
			child(way);
		CHECK_EQUAL(waitpid(pid, &status, 0), pid);
		if (way == 3)
			CHECK_EQUAL(WTERMSIG(status), SIGABRT);
		else
			CHECK_EQUAL(WEXITSTATUS(status), 10 + way);
		count++;
	}
	printf("%d ends\n", count);
	return 0;
}
