/*
 * leak_no_ptrace, put right: threads whose stacks and registers can't be read by tracing keep what is theirs.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_barrier_t ready;

static void *hold_on(void *unused)
{
	void *volatile block = malloc(2000);
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	(void)block;
	return unused;
}

static void deny_ptrace(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof filter / sizeof *filter, .filter = filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		puts("no seccomp here");
		exit(77);
	}
}

int main(void)
{
	deny_ptrace();
	pthread_barrier_init(&ready, NULL, 5);
	for (int i = 0; i < 4; i++)
		thread_start(hold_on, NULL);
	pthread_barrier_wait(&ready);
	return 0;
}
