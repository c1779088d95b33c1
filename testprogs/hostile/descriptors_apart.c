/*
 * What a process has open is its own business: a number is free as soon as it is closed, and so is what lies behind
 * it, while the reporter thread starts, looks (each millisecond here), ends and starts again. The other end of a
 * pipe sees its end at once, an epoll set forgets what is closed, a lock of flock goes with its descriptor, and one of fcntl
 * stays, whatever file is closed by whom.
 * Guards: a guest that shares the table of descriptors, or that keeps a copy of it.
 *
 * RUN: %prog
 * RUN: whoholds run --set tick=1ms %prog
 * RUN: LD_PRELOAD=%lib WHOHOLDS_OPTIONS=tick=1ms %prog
 * KINDS: none
 * EXPECT-STDOUT: what is closed is closed
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define OPENS 100000
#define ROUNDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Something that lasts, so that there is something to look at. */
static void *waits(void *unused)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

static int file_new(void)
{
	char name[] = "/tmp/descriptors-apart-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	unlink(name);
	return fd;
}

/* Whether another process finds the file locked by this one. */
static bool is_locked(int fd)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		fcntl(fd, F_GETLK, &range);
		_exit(range.l_type == F_WRLCK && range.l_pid == getppid());
	}
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

struct held {
	int pipe[2];
	int watched[2], set;
	int locked;
	int flocked, other;
};

static void take(struct held *held)
{
	char path[64];
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct epoll_event event = { .events = EPOLLIN };

	CHECK_EQUAL(pipe2(held->pipe, O_NONBLOCK), 0);
	CHECK_EQUAL(pipe(held->watched), 0);
	held->set = epoll_create1(0);
	CHECK_EQUAL(epoll_ctl(held->set, EPOLL_CTL_ADD, held->watched[0], &event), 0);
	CHECK_EQUAL(write(held->watched[1], "x", 1), 1);
	held->locked = file_new();
	CHECK_EQUAL(fcntl(held->locked, F_SETLK, &range), 0);
	held->flocked = file_new();
	CHECK_EQUAL(flock(held->flocked, LOCK_EX), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", held->flocked);
	held->other = open(path, O_RDWR);
	CHECK_EQUAL(flock(held->other, LOCK_EX | LOCK_NB), -1);
}

static void give_up(struct held *held)
{
	struct epoll_event event;
	char byte;

	CHECK_EQUAL(read(held->pipe[0], &byte, 1), -1);
	CHECK_EQUAL(errno, EAGAIN);
	close(held->pipe[1]);
	CHECK_EQUAL(read(held->pipe[0], &byte, 1), 0);
	close(held->pipe[0]);

	CHECK_EQUAL(epoll_wait(held->set, &event, 1, 0), 1);
	close(held->watched[0]);
	CHECK_EQUAL(epoll_wait(held->set, &event, 1, 0), 0);
	close(held->watched[1]);
	close(held->set);

	close(held->flocked);
	CHECK_EQUAL(flock(held->other, LOCK_EX | LOCK_NB), 0);
	close(held->other);

	CHECK(is_locked(held->locked));
	close(held->locked);
}

static void numbers_are_ours(void)
{
	int base = dup(0);

	close(base);
	for (int i = 0; i < OPENS; i++) {
		int fd = i % 2 ? open("/dev/null", O_RDONLY) : dup(0);
		CHECK_EQUAL(fd, base);
		close(fd);
	}
}

int main(void)
{
	struct held held;

	/* With the first thread the reporter starts. */
	take(&held);
	pthread_mutex_lock(&lock);
	pthread_t thread = thread_start(waits, NULL);
	give_up(&held);
	numbers_are_ours();
	/* A change of identity ends it, and starts it again. */
	for (int i = 0; i < ROUNDS; i++) {
		take(&held);
		CHECK_EQUAL(setuid(getuid()), 0);
		sleep_ms(5);
		give_up(&held);
	}
	numbers_are_ours();
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	puts("what is closed is closed");
	return 0;
}
