/*
 * A thread is cancelled in each call that it can be cancelled in. Its cleanup
 * handlers run with the mutex of a condition wait taken back; it leaves no hold
 * and no wait behind; what it waited on can be used as before.
 * Guards: hooks whose call never returns.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: 24 waits cancelled
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t mutex;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int pipe_fds[2], sockets[2], epoll_fd, lock_fd, queue_id;
static pthread_t sleeper;
static pid_t child;
static char byte;

static void wait_cond(void)
{
	pthread_cond_wait(&cond, &mutex);
}

static void wait_cond_timed(void)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 100000);
	pthread_cond_timedwait(&cond, &mutex, &until);
}

static void wait_cond_clock(void)
{
	struct timespec until = check_in_ms(CLOCK_MONOTONIC, 100000);
	pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &until);
}

static void wait_sem(void)
{
	sem_wait(&sem);
}

static void wait_sem_timed(void)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 100000);
	sem_timedwait(&sem, &until);
}

static void wait_sem_clock(void)
{
	struct timespec until = check_in_ms(CLOCK_MONOTONIC, 100000);
	sem_clockwait(&sem, CLOCK_MONOTONIC, &until);
}

static void wait_join(void)
{
	pthread_join(sleeper, NULL);
}

static void wait_join_timed(void)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 100000);
	pthread_timedjoin_np(sleeper, NULL, &until);
}

static void wait_read(void)
{
	read(pipe_fds[0], &byte, 1);
}

static void wait_recv(void)
{
	recv(sockets[0], &byte, 1, 0);
}

static void wait_recvmsg(void)
{
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	recvmsg(sockets[0], &message, 0);
}

static void wait_poll(void)
{
	struct pollfd fd = { pipe_fds[0], POLLIN, 0 };
	poll(&fd, 1, -1);
}

static void wait_ppoll(void)
{
	struct pollfd fd = { pipe_fds[0], POLLIN, 0 };
	ppoll(&fd, 1, NULL, NULL);
}

static void wait_select(void)
{
	fd_set in;
	FD_ZERO(&in);
	FD_SET(pipe_fds[0], &in);
	select(pipe_fds[0] + 1, &in, NULL, NULL, NULL);
}

static void wait_epoll(void)
{
	struct epoll_event event;
	epoll_wait(epoll_fd, &event, 1, -1);
}

static void wait_nanosleep(void)
{
	struct timespec time = { 100, 0 };
	nanosleep(&time, NULL);
}

static void wait_clock_nanosleep(void)
{
	struct timespec time = { 100, 0 };
	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static void wait_sleep(void)
{
	sleep(100);
}

static void wait_usleep(void)
{
	usleep(100000000);
}

static void wait_pause(void)
{
	pause();
}

static void wait_signal(void)
{
	sigset_t set;
	int signal_number;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwait(&set, &signal_number);
}

static void wait_child(void)
{
	waitpid(child, NULL, 0);
}

static void wait_file_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	fcntl(lock_fd, F_OFD_SETLKW, &lock);
}

static void wait_message(void)
{
	struct {
		long type;
		char text[8];
	} message;
	msgrcv(queue_id, &message, sizeof message.text, 0, 0);
}

static void (*const waits[])(void) = {
	wait_cond,      wait_cond_timed,      wait_cond_clock, /* these give up the mutex */
	wait_sem,       wait_sem_timed,       wait_sem_clock,  wait_join,   wait_join_timed, wait_read,
	wait_recv,      wait_recvmsg,         wait_poll,       wait_ppoll,  wait_select,     wait_epoll,
	wait_nanosleep, wait_clock_nanosleep, wait_sleep,      wait_usleep, wait_pause,      wait_signal,
	wait_child,     wait_file_lock,       wait_message,
};

static int tid, cleaned;

static void unlock(void *unused)
{
	(void)unused;
	cleaned++;
	/* It checks: this thread must be the owner. */
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
}

static void *blocked(void *wait)
{
	CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
	pthread_cleanup_push(unlock, NULL);
	__atomic_store_n(&tid, check_tid(), __ATOMIC_RELEASE);
	(*(void (*const *)(void))wait)();
	pthread_cleanup_pop(1);
	return NULL;
}

static void *sleeps(void *unused)
{
	sem_t *stop = unused;
	while (sem_wait(stop) != 0)
		;
	return NULL;
}

static void prepare(sem_t *stop)
{
	pthread_mutexattr_t checks;
	pthread_mutexattr_init(&checks);
	pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &checks);
	sem_init(&sem, 0, 0);
	sem_init(stop, 0, 0);
	CHECK_EQUAL(pipe(pipe_fds), 0);
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	epoll_fd = epoll_create1(0);
	queue_id = msgget(IPC_PRIVATE, 0600);
	CHECK(queue_id >= 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	char name[] = "/tmp/cancel_waits.XXXXXX";
	int other = mkstemp(name);
	lock_fd = open(name, O_RDWR);
	unlink(name);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQUAL(fcntl(other, F_OFD_SETLK, &lock), 0);
	sleeper = thread_start(sleeps, stop);
}

int main(void)
{
	sem_t stop;
	prepare(&stop);
	check_mark();
	int done = 0;
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		void *value;
		tid = 0;
		pthread_t thread = thread_start(blocked, (void *)&waits[i]);
		while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
			usleep(100);
		check_blocked(tid);
		CHECK_EQUAL(pthread_cancel(thread), 0);
		CHECK_EQUAL(pthread_join(thread, &value), 0);
		CHECK(value == PTHREAD_CANCELED);
		CHECK_EQUAL(cleaned, (int)i + 1);
		CHECK_HELD(0);
		/* Nothing is stuck: the mutex is free, and a later owner can wait with it. */
		CHECK_EQUAL(pthread_mutex_trylock(&mutex), 0);
		CHECK_HELD(1);
		struct timespec soon = check_in_ms(CLOCK_REALTIME, 1);
		CHECK_EQUAL(pthread_cond_timedwait(&cond, &mutex, &soon), ETIMEDOUT);
		CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
		CHECK_HELD(0);
		done++;
	}
	sem_post(&stop);
	CHECK_EQUAL(pthread_join(sleeper, NULL), 0);
	kill(child, SIGKILL);
	CHECK_EQUAL(waitpid(child, NULL, 0), child);
	msgctl(queue_id, IPC_RMID, NULL);
	printf("%d waits cancelled\n", done);
	return 0;
}
