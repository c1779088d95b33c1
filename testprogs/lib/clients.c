#include "lib/clients.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#define EACH 10

static char *texts[EACH];
static volatile short shorts[EACH];

void clients_begin(void)
{
	while (dup(0) < CLIENTS_FROM - 1)
		;
}

static int come(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	if (fd < CLIENTS_FROM)
		exit(1);
	return fd;
}

static void poll_one(int epoll)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0 };
	epoll_ctl(epoll, EPOLL_CTL_ADD, come(), &event);
}

/* What locks are held by is kept for their sake. */
static void lock_one(void)
{
	char name[] = "/tmp/clients.XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		exit(1);
	unlink(name);
}

void clients_serve(void)
{
	static int epoll;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < EACH; i++) {
		poll_one(epoll);
		lock_one();
		shorts[i] = (short)come();
		if (asprintf(&texts[i], "%d", come()) < 0)
			exit(1);
	}
	close_range(3, CLIENTS_FROM - 1, 0);
}
