/*
 * A process forks with a lock held, and its child keeps it while it waits for a request: the child has had it from its
 * beginning, and where its parent took it is not known to it.
 *
 * RUN: whoholds run --set blocked=200ms %prog
 * KINDS: stuck-holder
 * TIMEOUT: 30
 * EXPECT: stuck-holder: thread 1 "main" has been blocked for
 * EXPECT: holds mutex before
 * EXPECT: (taken by its parent, before the fork)
 * EXPECT-JSON: finding("stuck-holder") | has_object("mutex"; "{{addr before}}")
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t before = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	int request[2], status;
	char byte;

	show_addr("before", &before);
	CHECK_EQUAL(pipe(request), 0);
	pthread_mutex_lock(&before);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_EQUAL(read(request[0], &byte, 1), 1);
		pthread_mutex_unlock(&before);
		_exit(0);
	}
	pthread_mutex_unlock(&before);
	/* The child waits for longer than the limit. */
	usleep(2000000);
	CHECK_EQUAL(write(request[1], "", 1), 1);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	return 0;
}
