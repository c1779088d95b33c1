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
	/* By itself: of who sleeps in a call of libc's, all is known without tracing. */
	for (;;)
		__asm__ volatile("mov %0, %%eax\n\tsyscall"
				 :
				 : "i"(SYS_pause)
				 : "rax", "rcx", "r11", "memory");
	(void)block;
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
	pthread_barrier_init(&ready, NULL, 2);
	thread_start(hold_on, NULL);
	pthread_barrier_wait(&ready);
	for (int i = 0; i < 20; i++)
		lose();
	wipe_stack();
	return 0;
}
