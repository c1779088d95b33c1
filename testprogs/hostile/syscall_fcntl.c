/*
 * Raw system calls through libc's syscall(), with up to six arguments, that fail,
 * that return twice, and that wait on a futex; and fcntl with each sort of third argument.
 * Guards: variadic functions whose arguments must be handed on as they are.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: system calls go through
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static uint32_t word;

static void *waits(void *unused)
{
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return unused;
}

static void futexes(void)
{
	struct timespec short_time = { 0, 5000000 };

	CHECK_EQUAL(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), -1);
	CHECK_EQUAL(errno, EAGAIN);
	CHECK_EQUAL(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &short_time, NULL, 0), -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	struct timespec until = check_in_ms(CLOCK_MONOTONIC, 5);
	CHECK_EQUAL(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, 0xffffffff), -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	/* The sixth argument counts: no bits are refused. */
	CHECK_EQUAL(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, 0), -1);
	CHECK_EQUAL(errno, EINVAL);
	CHECK_EQUAL(syscall(SYS_futex, (void *)8, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), -1);
	CHECK_EQUAL(errno, EFAULT);
	pthread_t thread = thread_start(waits, NULL);
	usleep(5000);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

static void arguments(void)
{
	char name[] = "/tmp/syscall_fcntl.XXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0);
	unlink(name);
	CHECK_EQUAL(ftruncate(fd, 3 * 4096), 0);
	CHECK_EQUAL(pwrite(fd, "sixth", 5, 2 * 4096), 5);
	char *mapped = (char *)syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 2 * 4096);
	CHECK(mapped != MAP_FAILED && !memcmp(mapped, "sixth", 5));
	CHECK_EQUAL(syscall(SYS_munmap, mapped, 4096), 0);
	CHECK_EQUAL(syscall(SYS_getpid), getpid());
	CHECK_EQUAL(syscall(SYS_close, -1), -1);
	CHECK_EQUAL(errno, EBADF);
	CHECK_EQUAL(syscall(-1), -1);
	CHECK_EQUAL(errno, ENOSYS);
	CHECK_EQUAL(syscall(SYS_lseek, fd, (off_t)1 << 40, SEEK_SET), (off_t)1 << 40);
	close(fd);
}

static void twice(void)
{
	int status;
	volatile int calls = 0;

	pid_t pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		syscall(SYS_exit_group, 4);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(WEXITSTATUS(status), 4);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		/* A child that nobody announced works as the program. */
		free(malloc(100));
		pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
		_exit(getpid() != getppid() ? 5 : 0);
	}
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(WEXITSTATUS(status), 5);
	for (int i = 0; i < 20; i++) {
		pid = vfork();
		if (pid == 0) {
			calls++;
			_exit(6);
		}
		CHECK_EQUAL(waitpid(pid, &status, 0), pid);
		CHECK_EQUAL(WEXITSTATUS(status), 6);
	}
	CHECK_EQUAL(calls, 20); /* the memory is shared */
}

static void *locks(void *data)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQUAL(fcntl(*(int *)data, F_OFD_SETLKW, &lock), 0);
	return NULL;
}

static void fcntls(void)
{
	int fds[2];
	char name[] = "/tmp/syscall_fcntl.XXXXXX", link_name[64];

	CHECK_EQUAL(pipe(fds), 0);
	CHECK_EQUAL(fcntl(fds[0], F_GETFD), 0);
	CHECK_EQUAL(fcntl(fds[0], F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQUAL(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	int copy = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
	CHECK(copy >= 100);
	CHECK_EQUAL(fcntl(fds[1], F_SETPIPE_SZ, 65536), 65536);
	CHECK_EQUAL(fcntl(fds[1], F_GETPIPE_SZ), 65536);
	struct f_owner_ex owner = { F_OWNER_PID, getpid() }, got;
	CHECK_EQUAL(fcntl(fds[0], F_SETOWN_EX, &owner), 0);
	CHECK_EQUAL(fcntl(fds[0], F_GETOWN_EX, &got), 0);
	CHECK_EQUAL(got.pid, getpid());
	CHECK_EQUAL(fcntl(-1, F_GETFD), -1);
	CHECK_EQUAL(errno, EBADF);
	CHECK_EQUAL(read(fds[0], link_name, 1), -1);
	CHECK_EQUAL(errno, EAGAIN);

	int fd = mkstemp(name);
	snprintf(link_name, sizeof link_name, "/proc/self/fd/%d", fd);
	int other = open(link_name, O_RDWR);
	unlink(name);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQUAL(fcntl(fd, F_OFD_SETLK, &lock), 0);
	CHECK_EQUAL(fcntl(other, F_OFD_SETLK, &lock), -1);
	CHECK_EQUAL(errno, EAGAIN);
	pthread_t thread = thread_start(locks, &other);
	usleep(5000);
	lock.l_type = F_UNLCK;
	CHECK_EQUAL(fcntl(fd, F_OFD_SETLK, &lock), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	close(fd), close(other), close(copy), close(fds[0]), close(fds[1]);
}

int main(void)
{
	futexes();
	arguments();
	twice();
	fcntls();
	printf("system calls go through\n");
	return 0;
}
