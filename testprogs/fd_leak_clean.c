/*
 * Descriptors of every sort, closed in every way: by close, by the stream or the directory that they became, by dup2 over
 * them, by close_range, by a system call; the standard ones are replaced and stay.
 * Hard because: libc closes many of them where nobody sees it.
 *
 * RUN: whoholds run --set descriptors=on %prog
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		if (fds[i] < 0 || close(fds[i]) != 0)
			exit(1);
}

static void many_sorts(void)
{
	char name[] = "/tmp/fd_leak_clean.XXXXXX";
	int pipes[2], pairs[2];
	if (pipe(pipes) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pairs) != 0)
		exit(2);
	int fds[] = { open("/", O_RDONLY | O_DIRECTORY),
		      openat(AT_FDCWD, "/dev/null", O_WRONLY),
		      mkstemp(name),
		      socket(AF_INET, SOCK_DGRAM, 0),
		      eventfd(0, 0),
		      epoll_create1(0),
		      timerfd_create(CLOCK_MONOTONIC, 0),
		      memfd_create("clean", 0),
		      dup(pipes[0]),
		      pipes[0],
		      pipes[1],
		      pairs[0],
		      pairs[1] };
	unlink(name);
	close_all(fds, sizeof fds / sizeof fds[0]);
}

static void other_ends(void)
{
	FILE *stream = fdopen(open("/dev/null", O_RDONLY), "r");
	DIR *directory = fdopendir(open("/", O_RDONLY));
	fclose(stream);
	closedir(directory);
	int first = open("/dev/null", O_RDONLY), second = open("/dev/null", O_WRONLY);
	dup2(first, second);
	dup2(second, 0);
	close(second);
	syscall(SYS_close, first);
	first = open("/dev/null", O_RDONLY);
	if (syscall(SYS_close_range, first, first, 0) != 0)
		close(first);
}

int main(void)
{
	for (int i = 0; i < 50; i++) {
		many_sorts();
		other_ends();
	}
	/* What a child inherits is not its own to close. */
	int inherited = open("/dev/null", O_RDONLY);
	pid_t child = fork();
	if (child == 0)
		exit(0);
	int status = 0;
	waitpid(child, &status, 0);
	close(inherited);
	return status;
}
