/*
 * Calls that block, from both ends: results, errno, time-outs and EINTR come
 * through as the kernel gave them; also those of the forms that fortified programs call.
 * Guards: the one body that all of the blocking table shares.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -O2 -D_FORTIFY_SOURCE=2
 * KINDS: none
 * EXPECT-STDOUT: blocking calls answer as they should
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static void rings(int signal_number)
{
	(void)signal_number;
}

static size_t one_at_most(void)
{
	/* The compiler must not know it, so that the checked forms are called. */
	static volatile size_t one = 1;
	return one;
}

static void files(void)
{
	void *volatile nowhere = (void *)8;
	char buffer[8], name[] = "/tmp/blocking_answers.XXXXXX";
	struct iovec parts[2] = { { "ab", 2 }, { "cd", 2 } };
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	unlink(name);
	CHECK_EQUAL(write(fd, "0123456789", 10), 10);
	CHECK_EQUAL(pread(fd, buffer, one_at_most(), 5), 1);
	CHECK_EQUAL(buffer[0], '5');
	CHECK_EQUAL(pwritev(fd, parts, 2, 4), 4);
	CHECK_EQUAL(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQUAL(read(fd, buffer, one_at_most()), 1);
	CHECK_EQUAL(buffer[0], 'a');
	CHECK_EQUAL(writev(fd, parts, 2), 4);
	CHECK_EQUAL(read(-1, buffer, one_at_most()), -1);
	CHECK_EQUAL(errno, EBADF);
	CHECK_EQUAL(read(fd, nowhere, one_at_most()), -1);
	CHECK_EQUAL(errno, EFAULT);
	CHECK_EQUAL(flock(fd, LOCK_EX), 0);
	CHECK_EQUAL(flock(fd, LOCK_UN), 0);
	CHECK_EQUAL(lockf(fd, F_LOCK, 0), 0);
	CHECK_EQUAL(lockf(fd, F_TEST, 0), 0);
	CHECK_EQUAL(lockf(fd, F_ULOCK, 0), 0);
	close(fd);
}

static void *answers(void *data)
{
	int fd = *(int *)data;
	char buffer[8];
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	CHECK(client >= 0);
	CHECK_EQUAL(recv(client, buffer, one_at_most(), MSG_WAITALL), 1);
	CHECK_EQUAL(send(client, "y", 1, MSG_NOSIGNAL), 1);
	CHECK_EQUAL(recvfrom(client, buffer, one_at_most(), 0, NULL, NULL), 0);
	close(client);
	return NULL;
}

static void sockets(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof address;
	char buffer[8];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* A name that the kernel makes up. */
	CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	CHECK_EQUAL(listen(listener, 1), 0);
	CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	pthread_t thread = thread_start(answers, &listener);
	usleep(2000);
	CHECK_EQUAL(connect(fd, (struct sockaddr *)&address, length), 0);
	CHECK_EQUAL(sendto(fd, "x", 1, 0, NULL, 0), 1);
	CHECK_EQUAL(recv(fd, buffer, one_at_most(), 0), 1);
	CHECK_EQUAL(buffer[0], 'y');
	CHECK_EQUAL(recv(fd, buffer, one_at_most(), MSG_DONTWAIT), -1);
	CHECK_EQUAL(errno, EAGAIN);
	CHECK_EQUAL(shutdown(fd, SHUT_WR), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	CHECK_EQUAL(accept(-1, NULL, NULL), -1);
	CHECK_EQUAL(errno, EBADF);
	CHECK_EQUAL(connect(fd, (struct sockaddr *)&address, length), -1);
	CHECK_EQUAL(errno, EISCONN);
	close(fd);
	close(listener);
}

static void many(void)
{
	int fds[2];
	fd_set in;
	struct timeval no_time = { 0, 1000 };
	struct timespec short_time = { 0, 1000000 };
	struct epoll_event event = { .events = EPOLLIN }, got;

	CHECK_EQUAL(pipe(fds), 0);
	struct pollfd poll_fd = { fds[0], POLLIN, 0 };
	int epoll_fd = epoll_create1(0);
	CHECK_EQUAL(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[0], &event), 0);
	for (int ready = 0; ready < 2; ready++) {
		FD_ZERO(&in);
		FD_SET(fds[0], &in);
		CHECK_EQUAL(poll(&poll_fd, (nfds_t)one_at_most(), 1), ready);
		CHECK_EQUAL(ppoll(&poll_fd, (nfds_t)one_at_most(), &short_time, NULL), ready);
		CHECK_EQUAL(select(fds[0] + 1, &in, NULL, NULL, &no_time), ready);
		FD_SET(fds[0], &in);
		CHECK_EQUAL(pselect(fds[0] + 1, &in, NULL, NULL, &short_time, NULL), ready);
		CHECK_EQUAL(epoll_wait(epoll_fd, &got, 1, 1), ready);
		CHECK_EQUAL(epoll_pwait(epoll_fd, &got, 1, 0, NULL), ready);
		CHECK_EQUAL(write(fds[1], "x", 1), 1);
	}
	close(fds[0]), close(fds[1]), close(epoll_fd);
}

static void interrupted(void)
{
	struct sigaction action = { .sa_handler = rings };
	struct timespec left, time = { 5, 0 };
	sigset_t set, old;
	int signal_number, fds[2];
	char byte;

	sigaction(SIGALRM, &action, NULL);
	CHECK_EQUAL(pipe(fds), 0);
	ualarm(5000, 0);
	CHECK_EQUAL(nanosleep(&time, &left), -1);
	CHECK_EQUAL(errno, EINTR);
	CHECK(left.tv_sec == 4);
	ualarm(5000, 0);
	CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left), EINTR);
	ualarm(5000, 0);
	CHECK_EQUAL(sleep(5), 4);
	ualarm(5000, 0);
	CHECK_EQUAL(pause(), -1);
	CHECK_EQUAL(errno, EINTR);
	ualarm(5000, 0);
	CHECK_EQUAL(read(fds[0], &byte, 1), -1);
	CHECK_EQUAL(errno, EINTR);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &old);
	ualarm(5000, 0);
	CHECK_EQUAL(sigwait(&set, &signal_number), 0);
	CHECK_EQUAL(signal_number, SIGALRM);
	ualarm(5000, 0);
	CHECK_EQUAL(sigwaitinfo(&set, NULL), SIGALRM);
	struct timespec short_time = { 0, 1000000 };
	CHECK_EQUAL(sigtimedwait(&set, NULL, &short_time), -1);
	CHECK_EQUAL(errno, EAGAIN);
	ualarm(5000, 0);
	CHECK_EQUAL(sigsuspend(&old), -1);
	CHECK_EQUAL(errno, EINTR);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fds[0]), close(fds[1]);
}

static void queues(void)
{
	struct {
		long type;
		char text[8];
	} message = { 3, "hello" };
	int id = msgget(IPC_PRIVATE, 0600), sem = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf take = { 0, -1, 0 }, give = { 0, 1, 0 };
	struct timespec short_time = { 0, 1000000 };

	CHECK_EQUAL(msgsnd(id, &message, 8, 0), 0);
	CHECK_EQUAL(msgrcv(id, &message, 8, 3, 0), 8);
	CHECK_EQUAL(msgrcv(id, &message, 8, 3, IPC_NOWAIT), -1);
	CHECK_EQUAL(errno, ENOMSG);
	msgctl(id, IPC_RMID, NULL);
	CHECK_EQUAL(semop(sem, &give, 1), 0);
	CHECK_EQUAL(semop(sem, &take, 1), 0);
	CHECK_EQUAL(semtimedop(sem, &take, 1, &short_time), -1);
	CHECK_EQUAL(errno, EAGAIN);
	semctl(sem, 0, IPC_RMID);

	char name[40], buffer[16];
	unsigned priority;
	snprintf(name, sizeof name, "/blocking_answers.%d", getpid());
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 16 };
	mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
	if (queue < 0) /* not everywhere */
		return;
	mq_unlink(name);
	struct timespec until = check_in_ms(CLOCK_REALTIME, 2);
	CHECK_EQUAL(mq_send(queue, "m", 1, 7), 0);
	CHECK_EQUAL(mq_timedsend(queue, "m", 1, 7, &until), -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	CHECK_EQUAL(mq_receive(queue, buffer, 16, &priority), 1);
	CHECK_EQUAL(priority, 7);
	CHECK_EQUAL(mq_timedreceive(queue, buffer, 16, NULL, &until), -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	mq_close(queue);
}

static void children(void)
{
	siginfo_t info;
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(9);
	CHECK_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQUAL(info.si_status, 9);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(WEXITSTATUS(status), 9);
	CHECK_EQUAL(wait(NULL), -1);
	CHECK_EQUAL(errno, ECHILD);
	CHECK_EQUAL(wait4(-1, &status, WNOHANG, NULL), -1);
	CHECK_EQUAL(errno, ECHILD);
}

int main(void)
{
	files();
	sockets();
	many();
	interrupted();
	queues();
	children();
	printf("blocking calls answer as they should\n");
	return 0;
}
