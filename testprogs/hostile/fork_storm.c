/*
 * A process whose threads allocate and lock without pause makes children in every
 * way that there is: fork, _Fork, vfork, a raw clone; they allocate, lock, make threads, and end in every
 * way. Each ends by itself and with the status that it chose; a child's child is
 * followed as well.
 * Guards: a lock of ours that a thread held at the moment of the fork, for ever locked in the child.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * KINDS: none
 * TIMEOUT: 60
 * EXPECT-STDOUT: 90 children
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static atomic_bool stop;
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;

static void *busy(void *unused)
{
	pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

	while (!stop) {
		void *blocks[20];
		for (int i = 0; i < 20; i++)
			blocks[i] = malloc((size_t)(i * 50 + 1));
		pthread_mutex_lock(&own);
		pthread_mutex_lock(&shared);
		pthread_mutex_unlock(&shared);
		pthread_mutex_unlock(&own);
		for (int i = 0; i < 20; i++)
			free(blocks[i]);
	}
	return unused;
}

static void *of_child(void *value)
{
	free(malloc(100));
	return value;
}

/* Allocates, locks and makes a thread. `shared` may be held by a thread that is not here: not touched. */
static void live(bool with_threads)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&lock);
		char *text = strdup("child");
		text = realloc(text, 3000);
		free(text);
		pthread_mutex_unlock(&lock);
	}
	if (with_threads) {
		void *answer = NULL;
		pthread_t thread = thread_start(of_child, &lock);
		pthread_join(thread, &answer);
		CHECK(answer == &lock);
	}
}

static int child(int number)
{
	live(true);
	switch (number % 5) {
	case 0:
		exit(number);
	case 1:
		_exit(number);
	case 2: {
		int status = -1;
		pid_t grandchild = fork();
		if (grandchild == 0) {
			live(true);
			_exit(7);
		}
		CHECK_EQUAL(waitpid(grandchild, &status, 0), grandchild);
		CHECK_EQUAL(WEXITSTATUS(status), 7);
		exit(number);
	}
	case 3:
		quick_exit(number);
	default:
		execl("/bin/sh", "sh", "-c", "exit $0", number == 4 ? "4" : "9", (char *)NULL);
		_exit(99);
	}
}

static void check_status(pid_t pid, int wanted)
{
	int status = -1;

	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQUAL(WEXITSTATUS(status), wanted);
}

int main(void)
{
	pthread_t threads[3];
	static int children; /* static: vfork returns twice */

	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(busy, NULL);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			return child(i % 10);
		check_status(pid, i % 10);
		children++;
	}
	/* These run no at-fork handlers. */
	for (int i = 0; i < 20; i++) {
		pid_t pid = i % 2 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
		CHECK(pid >= 0);
		/* Of libc's own locks some may be taken: nothing but what is certain. */
		if (pid == 0)
			_exit(i);
		check_status(pid, i);
		children++;
	}
	/* And these share the parent's memory. */
	for (int i = 0; i < 20; i++) {
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			if (i % 2)
				execl("/bin/true", "true", (char *)NULL);
			_exit(i % 2 ? 99 : i);
		}
		check_status(pid, i % 2 ? 0 : i);
		children++;
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("%d children\n", children);
	return 0;
}
