/*
 * Threads sit in system calls that end with EINTR when their thread is stopped. They are stopped while
 * memory is searched at the end, and must not come to know.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | select(.bytes == 1000)
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include "lib/show.h"

static int epoll, semaphore, queue;
static atomic_int interrupted;

static void *in_epoll(void *unused)
{
	struct epoll_event event;
	for (;;)
		if (epoll_wait(epoll, &event, 1, -1) < 0)
			interrupted++;
	return unused;
}

static void *in_semop(void *unused)
{
	struct sembuf take = { .sem_op = -1 };
	for (;;)
		if (semop(semaphore, &take, 1) < 0)
			interrupted++;
	return unused;
}

static void *in_msgrcv(void *unused)
{
	struct {
		long type;
		char text[8];
	} message;
	for (;;)
		if (msgrcv(queue, &message, sizeof message.text, 0, 0) < 0)
			interrupted++;
	return unused;
}

static void *in_sigwaitinfo(void *unused)
{
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (;;)
		if (sigwaitinfo(&set, &info) < 0)
			interrupted++;
	return unused;
}

static void *in_sleep(void *unused)
{
	for (;;)
		if (sleep(1000) != 0)
			interrupted++;
	return unused;
}

static __attribute__((noinline)) void lose(void)
{
	*(volatile char *)malloc(1000) = 'x';
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

/* Registered before anything of the tracker's can be: it runs after the search. */
static __attribute__((destructor(101))) void tell(void)
{
	sleep_ms(100);
	semctl(semaphore, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
}

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	epoll = epoll_create1(0);
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	if (epoll < 0 || semaphore < 0 || queue < 0)
		return 77;
	thread_start(in_epoll, NULL);
	thread_start(in_semop, NULL);
	thread_start(in_msgrcv, NULL);
	thread_start(in_sigwaitinfo, NULL);
	thread_start(in_sleep, NULL);
	sleep_ms(100);
	lose();
	wipe_stack();
	return 0;
}
