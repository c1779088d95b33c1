/*
 * leak_no_ptrace, put right: threads whose stacks and registers can't be read by tracing keep what is theirs; one has it
 * in a register alone.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/deny_ptrace.h"
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

int main(int argc, char **argv)
{
	/* As in a container: the filter is there before the program is. */
	if (argc == 1) {
		if (!deny_ptrace()) {
			puts("no seccomp here");
			return 77;
		}
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
