/*
 * Descriptors are left open by an early return, and by a thread that has ended; others are closed, or given to a stream.
 * Hard because: a descriptor is a number, which is used again as soon as it is closed.
 *
 * RUN: whoholds run --set descriptors=on %prog
 * KINDS: iterator-leak
 * EXPECT: 3 descriptors "/dev/null" were never closed, opened in early
 * EXPECT-JSON: finding("iterator-leak") | .count == 3 and has_frame("opened"; "early"; {{line early}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "half"; {{line half}})
 * EXPECT-JSON: [.findings[] | select(.kind == "iterator-leak")] | length == 2
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int early(int wanted)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* line: early */
	char byte;
	if (wanted % 2)
		return -1;
	ssize_t got = read(fd, &byte, 1);
	close(fd);
	return (int)got;
}

/* One end of two stays open. */
static void *half(void *unused)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) /* line: half */
		close(ends[0]);
	return unused;
}

int main(void)
{
	pthread_t thread;
	for (int i = 0; i < 6; i++)
		early(i);
	pthread_create(&thread, NULL, half, NULL);
	pthread_join(thread, NULL);
	FILE *stream = fdopen(dup(0), "r");
	if (stream)
		fclose(stream);
	return 0;
}
