/*
 * leak_no_ptrace, put right: threads whose stacks and registers can't be read by tracing keep what is theirs; one has it
 * in a register alone.
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

static unsigned long complement;

static __attribute__((noinline)) void hidden(void)
{
	complement = ~(unsigned long)malloc(3000);
}

static void *hold_in_register(void *unused)
{
	hidden();
	wipe_stack();
	pthread_barrier_wait(&ready);
	__asm__ volatile("mov %0, %%rbx\n\tnot %%rbx\n1:\tmov %1, %%eax\n\tsyscall\n\tjmp 1b"
			 :
			 : "m"(complement), "i"(SYS_pause)
			 : "rax", "rbx", "rcx", "r11");
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
	pthread_barrier_init(&ready, NULL, 6);
	for (int i = 0; i < 4; i++)
		thread_start(hold_on, NULL);
	thread_start(hold_in_register, NULL);
	pthread_barrier_wait(&ready);
	return 0;
}
