/*
 * Three threads wait for a pipe that nobody writes to: by poll for it alone, by poll for it and another, by select. A
 * dump says of the first which descriptor it is, and of the others that there are several, never that it is 0.
 *
 * RUN: whoholds run %prog 200
 * KINDS: none
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

enum { WAITERS = 3 };

static int ends[2];
static int end_ms = 200;

static void *poll_one(void *unused)
{
	struct pollfd fds[] = { { .fd = ends[0], .events = POLLIN } };
	poll(fds, 1, end_ms);
	return unused;
}

static void *poll_two(void *unused)
{
	struct pollfd fds[] = { { .fd = ends[0], .events = POLLIN }, { .fd = ends[1] } };
	poll(fds, 2, end_ms);
	return unused;
}

static void *select_one(void *unused)
{
	struct timeval timeout = { .tv_sec = end_ms / 1000, .tv_usec = end_ms % 1000 * 1000 };
	fd_set in;
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	select(ends[0] + 1, &in, NULL, NULL, &timeout);
	return unused;
}

int main(int argc, char **argv)
{
	void *(*const ways[WAITERS])(void *) = { poll_one, poll_two, select_one };
	pthread_t waiters[WAITERS];
	if (argc > 1)
		end_ms = atoi(argv[1]);
	if (pipe(ends))
		return 1;
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&waiters[i], NULL, ways[i], NULL);
	for (int i = 0; i < WAITERS; i++)
		pthread_join(waiters[i], NULL);
	return 0;
}
