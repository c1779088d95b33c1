/*
 * Somebody traces the process already, as a debugger does: nobody else can. It ends as without us, soon, and what could not be seen
 * for that is no finding.
 * Guards: a search that waits for threads which it may not hold.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STATUS: 7
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static int to_child[2], to_parent[2];

/* Traces all threads of its parent, and lets them run. */
static void trace_parent(const int *tids, int count)
{
	char byte;
	close(to_child[1]);
	read(to_child[0], &byte, 1);
	for (int i = 0; i < count; i++)
		ptrace(PTRACE_SEIZE, tids[i], NULL, NULL);
	write(to_parent[1], "", 1);
	/* Until the parent is gone. */
	while (read(to_child[0], &byte, 1) > 0)
		;
	_exit(0);
}

static int sleeper;

static void *sleeps(void *unused)
{
	/* Its stack alone leads to it. */
	void *block = malloc(500);
	__atomic_store_n(&sleeper, check_tid(), __ATOMIC_RELEASE);
	for (;;)
		pause();
	free(block);
	return unused;
}

int main(void)
{
	char byte;
	CHECK_EQUAL(pipe(to_child), 0);
	CHECK_EQUAL(pipe(to_parent), 0);
	thread_start(sleeps, NULL);
	while (!__atomic_load_n(&sleeper, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	const int tids[] = { getpid(), sleeper };
	pid_t child = fork();
	if (child == 0)
		trace_parent(tids, 2);
	prctl(PR_SET_PTRACER, child);
	CHECK_EQUAL(write(to_child[1], "", 1), 1);
	CHECK_EQUAL(read(to_parent[0], &byte, 1), 1);
	return 7;
}
