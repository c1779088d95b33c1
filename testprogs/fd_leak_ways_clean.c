/*
 * Descriptors that stay open until the end, all of them known: in an array, a list, a variable of a thread's own and one of a
 * function that has not returned, to the kernel's epoll alone, by number since the program chose it, or opened once to stay; and
 * others that are closed by ranges, by children, or came with messages and are closed.
 *
 * RUN: whoholds run --set descriptors=on %prog
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/messages.h"
#include "lib/show.h"

#define MANY 20

static volatile int array[MANY];
static volatile struct pollfd polled[MANY];
static __thread volatile int own[MANY];

static struct connection {
	struct connection *next;
	short flags;
	int fd;
} * connections;

static int make(void)
{
	int fd = eventfd(0, 0);
	if (fd < 0)
		exit(1);
	return fd;
}

static void *stays(void *unused)
{
	volatile int first = make(), second = make();
	own[0] = make();
	own[1] = make();
	show_ready("stays");
	for (;;)
		sleep_ms(1000);
	(void)first;
	(void)second;
	return unused;
}

static void poll_one(int epoll)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0 };
	epoll_ctl(epoll, EPOLL_CTL_ADD, make(), &event);
}

static void lock_file(void)
{
	char name[] = "/tmp/fd_leak_ways.XXXXXX";
	flock(mkostemp(name, O_CLOEXEC), LOCK_EX);
	unlink(name);
}

static void keep(void)
{
	for (int i = 0; i < MANY; i++) {
		struct connection *connection = malloc(sizeof *connection);
		*connection = (struct connection){ .next = connections, .fd = make() };
		connections = connection;
		array[i] = make();
		polled[i].fd = make();
		dup2(0, 200 + i);
	}
}

static void close_ranges(void)
{
	int first = make(), last = make();
	for (int i = 0; i < MANY; i++)
		last = make();
	close_range((unsigned)first, (unsigned)last, 0);
}

extern char **environ;

static void children(void)
{
	char *words[] = { "true", NULL };
	pid_t child;
	for (int i = 0; i < 5; i++) {
		int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
		if (posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0)
			waitpid(child, NULL, 0);
		child = fork();
		if (child == 0) {
			make();
			closefrom(3);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		close(fd);
	}
}

int main(void)
{
	/* Made by one call, and kept open by a function that returns. */
	int ends[2], epoll = epoll_create1(0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	for (int i = 0; i < 4; i++) {
		message_send(ends[0], 0);
		close(message_receive(ends[1]));
		poll_one(epoll);
	}
	close_ranges();
	keep();
	lock_file();
	children();
	thread_start(stays, NULL);
	sleep_ms(200);
	wipe_stack();
	return 0;
}
