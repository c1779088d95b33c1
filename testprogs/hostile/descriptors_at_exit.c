/*
 * A thread opens and closes files while another ends the process: each time it gets the lowest number that is free, which
 * it may rely on (a shell's redirections do: close(0), then open).
 * Guards: a search for lost memory at the end that opens files in the table of a program whose threads still run.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * KINDS: none
 * EXPECT-STDOUT: every number was the lowest
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

#define ROUNDS 20
#define WARM_UP 100

#define WRONG_NUMBER 3

static atomic_int opened;
static void *volatile kept;

static void *opens(void *unused)
{
	int lowest = open("/dev/null", O_RDONLY);

	CHECK(lowest >= 0);
	close(lowest);
	for (;;) {
		int fd = open("/dev/null", O_RDONLY);
		if (fd != lowest)
			_exit(WRONG_NUMBER);
		close(fd);
		atomic_fetch_add(&opened, 1);
	}
	return unused;
}

/* Something to be looked for. */
static void end_while_another_opens(void)
{
	pthread_t thread;

	kept = malloc(100);
	CHECK(kept && pthread_create(&thread, NULL, opens, NULL) == 0);
	while (atomic_load(&opened) < WARM_UP)
		usleep(100);
	exit(0);
}

int main(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		int status = -1;
		pid_t pid = fork();
		if (pid == 0)
			end_while_another_opens();
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	puts("every number was the lowest");
	return 0;
}
