/*
 * daemon(): the process that was started ends inside libc with status 0, and its
 * child goes on without it.
 * Guards: a recording whose process ended where no hook comes by, taken for killed.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: the daemon has a session of its own
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

int main(void)
{
	int pipe_fds[2], status;
	char byte = 0;

	CHECK_EQUAL(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		/* Daemons are seldom seen to fail: this one says so. */
		close(pipe_fds[0]);
		pid_t started = getpid();
		if (daemon(0, 0) == 0 && getpid() != started && getsid(0) == getpgrp())
			byte = 1;
		free(malloc(100));
		CHECK_EQUAL(write(pipe_fds[1], &byte, 1), 1);
		exit(0);
	}
	close(pipe_fds[1]);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(status, 0);
	CHECK_EQUAL(read(pipe_fds[0], &byte, 1), 1);
	CHECK_EQUAL(byte, 1);
	CHECK_EQUAL(read(pipe_fds[0], &byte, 1), 0); /* it has ended */
	printf("the daemon has a session of its own\n");
	return 0;
}
