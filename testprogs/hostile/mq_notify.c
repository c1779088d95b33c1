/*
 * A process that asked to be told of a message is told, also after the reporter thread has come and gone.
 * Guards: the kernel takes any close of the queue in that process, in whatever table of descriptors, for
 * the end of the wish.
 *
 * RUN: %prog
 * RUN: LD_PRELOAD=%lib WHOHOLDS_OPTIONS=tick=1ms %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: told
 */
#include <errno.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

int main(void)
{
	char name[64];
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	sigset_t set;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	snprintf(name, sizeof name, "/whoholds-%ld", (long)getpid());
	mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
	if (queue < 0 && (errno == ENOSYS || errno == EACCES || errno == ENOSPC)) {
		printf("no message queues here\n");
		return 77;
	}
	CHECK(queue >= 0);
	CHECK_EQUAL(mq_unlink(name), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQUAL(mq_notify(queue, &event), 0);

	/* Long enough that a reporter thread has a reason to start, and its tick to come. */
	for (int i = 0; i < 100; i++) {
		free(strdup("something"));
		usleep(3000);
	}
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		_exit(mq_send(queue, "hello", 6, 0) == 0 ? 0 : 1);
	int status;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
	struct timespec limit = { .tv_sec = 10 };
	CHECK_EQUAL(sigtimedwait(&set, NULL, &limit), SIGUSR1);
	mq_close(queue);
	printf("told\n");
	return 0;
}
