/*
 * A thread that may not read the time stamp counter any more, so that libc's own clocks would end it (PR_SET_TSC): it locks, allocates,
 * waits for another thread and leaves. So does a child, by `syscall`.
 *
 * KINDS: none
 * EXPECT-STDOUT: done
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *other(void *unused)
{
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

static void use(void)
{
	pthread_barrier_init(&both, NULL, 2);
	pthread_t thread = thread_start(other, NULL);
	pthread_mutex_lock(&lock);
	pthread_barrier_wait(&both);
	for (int i = 1; i < 1000; i++)
		free(malloc((size_t)i));
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&both);
}

int main(void)
{
	pid_t child = fork();
	if (child == 0) {
		if (syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV) == 0)
			use();
		_exit(0);
	}
	int status = 0;
	if (waitpid(child, &status, 0) != child || status != 0)
		return 1;
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
		return puts("no PR_SET_TSC here"), 77;
	use();
	puts("done");
	return 0;
}
