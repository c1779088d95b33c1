/*
 * A server that keeps its clients as bits for select forgets some of them.
 * Hard because: no number of a client is anywhere in memory; those that it waits for are known all the same.
 *
 * RUN: whoholds run --set descriptors=on %prog
 * KINDS: iterator-leak
 * EXPECT-STDOUT: 30 clients have something to say
 * EXPECT-JSON: finding("iterator-leak") | .count <= 10 and has_frame("opened"; "connects"; {{line opens}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

#include "lib/lose.h"

#define CLIENTS 40

static fd_set clients;

/* Its number is kept as a bit. */
static void connects(int number)
{
	int fd = eventfd(1, EFD_CLOEXEC); /* line: opens */
	if (fd < 0 || fd >= FD_SETSIZE)
		exit(2);
	if (number % 4)
		FD_SET(fd, &clients);
}

/* Whether anybody has something to say; who it is, is found by trying. */
static int serve(void)
{
	fd_set ready = clients;
	struct timeval now = { 0 };
	return select(FD_SETSIZE, &ready, NULL, NULL, &now);
}

int main(void)
{
	for (int i = 0; i < CLIENTS; i++)
		connects(i);
	wipe_stack();
	printf("%d clients have something to say\n", serve());
	return 0;
}
