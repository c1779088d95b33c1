/*
 * A process is killed with a robust mutex in shared memory. The next one to take it is told so (EOWNERDEAD), takes that
 * for a failure, and goes on to wait for work: but it has the mutex, and nobody else will ever get it.
 *
 * Hard because an error is a success here.
 *
 * RUN: whoholds run --set blocked=3s %prog
 * HANGS: yes
 * TIMEOUT: 30
 * KINDS: stuck-holder leak?
 * EXPECT: error stuck-holder: thread 2 "careless" has been blocked for
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("acquired"; {{tid careless}}; "update"; {{line takes}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("blocked"; {{tid careless}}; "await_work"; {{line sleeps}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("waits"; {{tid other}}; "update"; {{line takes}})
 * EXPECT-REPORT: robust_owner.c:{{line takes}}
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static struct shared {
	pthread_mutex_t lock;
	int value;
} * shared;

static int work[2];

static bool update(void)
{
	if (pthread_mutex_lock(&shared->lock)) /* line: takes */
		return false;
	shared->value++;
	pthread_mutex_unlock(&shared->lock);
	return true;
}

static void await_work(void)
{
	char job;

	if (read(work[0], &job, 1) != 1) /* line: sleeps */
		return;
}

static void *careless(void *unused)
{
	show_thread("careless");
	update();
	await_work();
	return unused;
}

static void *other(void *unused)
{
	show_thread("other");
	update();
	return unused;
}

static void set_up(void)
{
	pthread_mutexattr_t attributes;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->lock, &attributes);
}

int main(void)
{
	if (pipe(work))
		return 1;
	set_up();
	pid_t child = fork();
	if (child == 0) {
		pthread_mutex_lock(&shared->lock);
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
	thread_start(careless, NULL);
	sleep_ms(200);
	pthread_join(thread_start(other, NULL), NULL);
	return 0;
}
