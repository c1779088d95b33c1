/*
 * Signals are the program's: those sent to the process come to one of its own
 * threads, pending ones stay pending until somebody takes them, dispositions and masks
 * are what it set, system calls restart or not as it asked; and a process whose first thread has
 * ended lives until the last one has, and no longer.
 * Guards: a thread of ours that takes a signal, keeps one pending for ever, or keeps the process alive.
 *
 * RUN: %prog
 * RUN: whoholds run --set tick=1ms %prog
 * RUN: LD_PRELOAD=%lib %prog
 * LEAVES: recordings
 * KINDS: none
 * TIMEOUT: 30
 * EXPECT-STDOUT: 200 signals
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static atomic_int handled, elsewhere, own_tids[3];

static void handler(int signal)
{
	int tid = (int)syscall(SYS_gettid), known = 0;

	(void)signal;
	for (int i = 0; i < 3; i++)
		known += own_tids[i] == tid;
	elsewhere += !known;
	handled++;
}

static void *sleeps(void *number)
{
	own_tids[(size_t)number] = (int)syscall(SYS_gettid);
	/* Through every interruption. */
	for (int i = 0; i < 40; i++)
		sleep_ms(20);
	return NULL;
}

static void handlers_run_in_own_threads(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t threads[2];

	own_tids[0] = (int)syscall(SYS_gettid);
	sigaction(SIGUSR1, &action, NULL);
	threads[0] = thread_start(sleeps, (void *)1);
	threads[1] = thread_start(sleeps, (void *)2);
	sleep_ms(20);
	for (int i = 0; i < 200; i++) {
		int before = handled;
		kill(getpid(), SIGUSR1);
		while (handled == before)
			sched_yield();
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQUAL(elsewhere, 0);
	printf("%d signals\n", handled);
}

static void blocked_ones_stay_pending(void)
{
	sigset_t set, pending;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR2);
	sleep_ms(50);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR2) == 1);
	CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR2);
	CHECK_EQUAL(info.si_pid, getpid());
	struct timespec soon = { 0, 20000000 };
	CHECK_EQUAL(sigtimedwait(&set, &info, &soon), -1);
	CHECK_EQUAL(errno, EAGAIN);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;
		if (sigaction(number, NULL, &action) == 0 && number != SIGUSR1)
			CHECK(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
	}
}

static void *outlives_main(void *unused)
{
	sleep_ms(200);
	return unused;
}

/* Return: its status, -1 where it did not end within seconds. */
static int ends_soon(pid_t pid)
{
	int status;

	for (int i = 0; i < 500; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sleep_ms(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

int main(void)
{
	handlers_run_in_own_threads();
	blocked_ones_stay_pending();

	pid_t pid = fork();
	if (pid == 0) {
		pthread_detach(thread_start(outlives_main, NULL));
		pthread_exit(NULL);
	}
	CHECK_EQUAL(ends_soon(pid), 0);

	/* SIGTERM ends a process whose threads are all blocked, and whose first one has ended. */
	pid = fork();
	if (pid == 0) {
		pthread_detach(thread_start(sleeps, (void *)1));
		pthread_exit(NULL);
	}
	sleep_ms(100);
	kill(pid, SIGTERM);
	int status = ends_soon(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQUAL(WTERMSIG(status), SIGTERM);
	return 0;
}
