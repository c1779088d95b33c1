/*
 * Where no thread may be traced, registers stay unread: what seems lost is reported as possible, where it is more than
 * registers could hold; and what other threads have on their stacks is still not lost.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * TWIN: leak_three_clean
 * KINDS: possible-leak
 * EXPECT-JSON: [finding("possible-leak")] | length == 1
 * EXPECT-JSON: finding("possible-leak") | select(.severity == "warning" and .bytes == 100000 and .count == 100) | has_frame("allocated"; "lose"; {{line lib/lose.c lost}})
 * EXPECT: registers of other threads could not be read
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lose.h"
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

int main(int argc, char **argv)
{
	/* As in a container: the filter is there before the program is. */
	if (argc == 1) {
		deny_ptrace();
		execl("/proc/self/exe", argv[0], "denied", NULL);
		return 1;
	}
	pthread_barrier_init(&ready, NULL, 2);
	thread_start(hold_on, NULL);
	pthread_barrier_wait(&ready);
	for (int i = 0; i < 20; i++)
		lose();
	wipe_stack();
	return 0;
}
