/*
 * What looks like file_lock_deadlock and comes undone, each for longer than a moment:
 * a lock given back by closing its descriptor; one that belongs to a descriptor which both threads use, so
 * that neither keeps the other from it; a reader that becomes a writer while another process reads;
 * a thread that waits for what another process holds; and what a process locks for all of it.
 *
 * RUN: whoholds run --set blocked=1s %prog %dir
 * TIMEOUT: 30
 * KINDS: none
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define A_WHILE_MS 700

static char names[2][4096];

static int open_file(unsigned which)
{
	int fd = open(names[which], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	return fd;
}

/* Another process that reads the file, for a while. */
static pid_t read_elsewhere(unsigned which)
{
	int ready[2];
	char byte;
	CHECK_EQUAL(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		int fd = open_file(which);
		CHECK_EQUAL(flock(fd, LOCK_SH), 0);
		CHECK_EQUAL(write(ready[1], "", 1), 1);
		sleep_ms(A_WHILE_MS);
		_exit(0);
	}
	CHECK_EQUAL(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void *closes_later(void *argument)
{
	int fd = open_file(0);
	CHECK_EQUAL(flock(fd, LOCK_EX), 0);
	pthread_barrier_wait(argument);
	sleep_ms(A_WHILE_MS);
	close(fd);
	/* It has nothing now, and waits for a while. */
	fd = open_file(1);
	CHECK_EQUAL(flock(fd, LOCK_EX), 0);
	close(fd);
	return NULL;
}

static void closed(void)
{
	pthread_barrier_t taken;
	pthread_barrier_init(&taken, NULL, 2);
	int mine = open_file(1), other = open_file(0);
	CHECK_EQUAL(flock(mine, LOCK_EX), 0);
	pthread_t thread = thread_start(closes_later, &taken);
	pthread_barrier_wait(&taken);
	CHECK_EQUAL(flock(other, LOCK_EX), 0);
	sleep_ms(A_WHILE_MS);
	close(mine);
	pthread_join(thread, NULL);
	close(other);
}

static int shared;

static void *takes_it_too(void *unused)
{
	CHECK_EQUAL(flock(shared, LOCK_EX), 0);
	return unused;
}

/* Main reads by the same descriptor, and another process as well: it is that one which is waited for. */
static void same_descriptor(void)
{
	pid_t child = read_elsewhere(0);
	shared = open_file(0);
	CHECK_EQUAL(flock(shared, LOCK_SH), 0);
	pthread_join(thread_start(takes_it_too, NULL), NULL);
	waitpid(child, NULL, 0);
	close(shared);
}

static void grows(void)
{
	pid_t child = read_elsewhere(0);
	int fd = open_file(0);
	CHECK_EQUAL(flock(fd, LOCK_SH), 0);
	CHECK_EQUAL(flock(fd, LOCK_EX), 0);
	CHECK_EQUAL(flock(fd, LOCK_EX), 0);
	CHECK_EQUAL(flock(fd, LOCK_UN), 0);
	waitpid(child, NULL, 0);
	child = read_elsewhere(0);
	CHECK_EQUAL(flock(fd, LOCK_EX | LOCK_NB), -1);
	CHECK_EQUAL(errno, EWOULDBLOCK);
	CHECK_EQUAL(flock(fd, LOCK_EX), 0);
	waitpid(child, NULL, 0);
	CHECK_EQUAL(flock(fd, 0), -1);
	CHECK_EQUAL(errno, EINVAL);
	close(fd);
	CHECK_EQUAL(flock(fd, LOCK_EX), -1);
	CHECK_EQUAL(errno, EBADF);
}

/* fcntl's: of an open file, and of the process, which is granted what it has already. */
static void ranges(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
	int fd = open_file(0), other = open_file(0);
	CHECK_EQUAL(fcntl(fd, F_SETLK, &lock), 0);
	CHECK_EQUAL(fcntl(other, F_SETLKW, &lock), 0);
	CHECK_EQUAL(lockf(other, F_LOCK, 10), 0);
	lock.l_type = F_UNLCK;
	CHECK_EQUAL(fcntl(fd, F_SETLK, &lock), 0);

	lock.l_type = F_WRLCK;
	CHECK_EQUAL(fcntl(fd, F_OFD_SETLKW, &lock), 0);
	CHECK_EQUAL(fcntl(other, F_OFD_SETLK, &lock), -1);
	CHECK(errno == EAGAIN || errno == EACCES);
	lock.l_start = 10;
	CHECK_EQUAL(fcntl(other, F_OFD_SETLKW, &lock), 0);
	lock.l_type = F_UNLCK;
	CHECK_EQUAL(fcntl(other, F_OFD_SETLKW, &lock), 0);
	CHECK_EQUAL(fcntl(fd, F_OFD_SETLKW, (void *)8), -1);
	CHECK_EQUAL(errno, EFAULT);
	close(fd);
	close(other);
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "/tmp";
	snprintf(names[0], sizeof(names[0]), "%s/first.lock", directory);
	snprintf(names[1], sizeof(names[1]), "%s/second.lock", directory);
	closed();
	same_descriptor();
	grows();
	ranges();
	unlink(names[0]);
	unlink(names[1]);
	return 0;
}
