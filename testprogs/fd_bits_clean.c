/*
 * The same with all of them waited for until the end.
 *
 * RUN: whoholds run --set descriptors=on %prog
 * KINDS: none
 * EXPECT-STDOUT: 40 clients have something to say
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
static void connects(void)
{
	int fd = eventfd(1, EFD_CLOEXEC);
	if (fd < 0 || fd >= FD_SETSIZE)
		exit(2);
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
		connects();
	wipe_stack();
	printf("%d clients have something to say\n", serve());
	return 0;
}
