/*
 * A process forks and goes on to take locks; its child takes none, and waits for a request. What the parent has taken
 * since is not the child's, although the recording that it was forked with is shared with its parent. What was taken
 * before, the child has indeed, and gives it back. The first of these forks goes unseen by libc; in the others the
 * child comes late to whoholds, since its own handler keeps it.
 *
 * RUN: whoholds run --set blocked=200ms %prog
 * KINDS: none
 * TIMEOUT: 30
 */
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t before = PTHREAD_MUTEX_INITIALIZER, later = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static _Atomic int *rounds_taken; /* shared by both: in how many rounds the parent has taken its locks */
static int rounds, request[2];

/* Until the parent has them; nothing here that whoholds would see. */
static void await_parent(void)
{
	while (*rounds_taken < rounds)
		sched_yield();
}

static void round_of(pid_t (*way)(void), bool has_before)
{
	int status;

	rounds++;
	if (has_before)
		pthread_mutex_lock(&before);
	pid_t pid = way();
	CHECK(pid >= 0);
	if (pid == 0) {
		char byte;
		await_parent();
		if (has_before)
			pthread_mutex_unlock(&before);
		CHECK_EQUAL(read(request[0], &byte, 1), 1);
		_exit(0);
	}
	if (has_before)
		pthread_mutex_unlock(&before);
	pthread_mutex_lock(&later);
	pthread_rwlock_rdlock(&table);
	++*rounds_taken;
	usleep(100000);
	pthread_rwlock_unlock(&table);
	pthread_mutex_unlock(&later);
	/* The child waits for longer than the limit. */
	usleep(600000);
	CHECK_EQUAL(write(request[1], "", 1), 1);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
}

static pid_t clone_unseen(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

int main(void)
{
	rounds_taken =
	    mmap(NULL, sizeof *rounds_taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(rounds_taken != MAP_FAILED);
	CHECK_EQUAL(pipe(request), 0);
	CHECK_EQUAL(pthread_atfork(NULL, NULL, await_parent), 0);
	round_of(clone_unseen, false);
	round_of(fork, false);
	round_of(fork, true);
	return 0;
}
