/*
 * The process is stopped (job control, a debugger, a suspended machine) with a lock held that another thread waits for. By the
 * clock that lasts longer than any limit; but nobody could run, so nobody has held anything for long.
 *
 * RUN: whoholds run --set held=5s --set blocked=5s %prog
 * TIMEOUT: 90
 * KINDS: none
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int waiter;

static void *waits(void *unused)
{
	__atomic_store_n(&waiter, check_tid(), __ATOMIC_RELEASE);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

/* Another process stops this one, and lets it go on. Not as a copy of this one, which would have its lock. */
static pid_t be_stopped(void)
{
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", "kill -STOP $PPID; sleep 8; kill -CONT $PPID", NULL);
		_exit(127);
	}
	return child;
}

int main(void)
{
	pthread_mutex_lock(&lock);
	pthread_t thread = thread_start(waits, NULL);
	while (!__atomic_load_n(&waiter, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	check_blocked(waiter);
	pid_t child = be_stopped();
	CHECK_EQUAL(waitpid(child, NULL, 0), child);
	/* A few looks later. */
	sleep_ms(300);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	return 0;
}
