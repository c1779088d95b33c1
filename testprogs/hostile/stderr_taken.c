/*
 * Standard error is not what it was: closed, with a database of the program's own in its place, or turned into a log by
 * a daemon, or kept from all but the parent, who waits for its end. A report, of the end of a process and of the
 * reporter thread, goes into the log, and not into the database.
 *
 * RUN: %prog
 * RUN: LD_PRELOAD=%lib WHOHOLDS_OPTIONS=tick=10ms %prog
 * KINDS: leak deadlock
 * LEAVES: recordings
 * EXPECT-STDOUT: reports are where they should be
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"
#include "whoholds.h"

static char name[] = "/tmp/stderr-taken-XXXXXX";
static void *volatile kept;

static void leaks(void)
{
	kept = malloc(1000);
	memset(kept, 1, 1000);
	kept = NULL;
	exit(0);
}

static void *locks_twice(void *lock)
{
	pthread_mutex_lock(lock);
	pthread_mutex_lock(lock);
	return NULL;
}

static void hangs(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_join(thread_start(locks_twice, &lock), NULL);
	_exit(1);
}

static off_t bytes(void)
{
	struct stat status;

	CHECK_EQUAL(stat(name, &status), 0);
	return status.st_size;
}

/* A child whose standard error is the file, opened with `flags`, does `what`; it is killed where it `stays`. */
static void with_file(int flags, void (*what)(void), bool stays, bool wants_text)
{
	int status;
	pid_t pid = fork();

	CHECK_EQUAL(truncate(name, 0), 0);
	if (pid == 0) {
		close(2);
		if (open(name, flags) != 2)
			_exit(2);
		what();
	}
	for (int i = 0; stays && i < (wants_text ? 1000 : 100) && !bytes(); i++)
		sleep_ms(10);
	if (stays)
		kill(pid, SIGKILL);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(bytes() > 0, wants_text && wh_active());
}

int main(void)
{
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	close(fd);
	with_file(O_WRONLY, leaks, false, true);
	with_file(O_RDWR, leaks, false, false);
	if (wh_active())
		with_file(O_WRONLY, hangs, true, true);
	with_file(O_RDWR, hangs, true, false);

	/* As for $(daemon): the parent reads until nobody has the other end any more, while the child lives on. */
	int ends[2];
	char byte;
	CHECK_EQUAL(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 2);
		close(ends[1]);
		close(ends[0]);
		pthread_t thread = thread_start(locks_twice, &(pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER);
		close(2);
		pthread_join(thread, NULL);
		_exit(1);
	}
	close(ends[1]);
	while (read(ends[0], &byte, 1) > 0)
		;
	CHECK_EQUAL(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	CHECK_EQUAL(waitpid(pid, NULL, 0), pid);
	unlink(name);
	puts("reports are where they should be");
	return 0;
}
