/*
 * Semaphores, named ones too, posted by other threads and from a signal handler,
 * and barriers: results and errno are libc's.
 * Guards: sem_open takes its value as a variadic argument; sem_post may be called
 * from a handler that interrupted anything.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: semaphores and barriers answer as they should
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static sem_t sem, rung;
static pthread_barrier_t barrier;
static int serial;

static void *posts(void *unused)
{
	for (int i = 0; i < 1000; i++)
		CHECK_EQUAL(sem_post(&sem), 0);
	return unused;
}

static void rings(int signal_number)
{
	int error = errno;
	(void)signal_number;
	sem_post(&rung);
	errno = error;
}

static void *meets(void *unused)
{
	for (int i = 0; i < 100; i++) {
		int result = pthread_barrier_wait(&barrier);
		CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
		if (result)
			__atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

static void named(void)
{
	char name[40];
	int value;

	snprintf(name, sizeof name, "/sem_barrier.%d", getpid());
	sem_t *open = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
	CHECK(open != SEM_FAILED);
	CHECK_EQUAL(sem_getvalue(open, &value), 0);
	CHECK_EQUAL(value, 2);
	CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 2) == SEM_FAILED);
	CHECK_EQUAL(errno, EEXIST);
	sem_t *again = sem_open(name, 0);
	CHECK(again == open);
	CHECK_EQUAL(sem_wait(open), 0);
	CHECK_EQUAL(sem_trywait(again), 0);
	CHECK_EQUAL(sem_trywait(again), -1);
	CHECK_EQUAL(errno, EAGAIN);
	CHECK_EQUAL(sem_close(again), 0);
	CHECK_EQUAL(sem_post(open), 0);
	CHECK_EQUAL(sem_close(open), 0);
	CHECK_EQUAL(sem_unlink(name), 0);
	CHECK(sem_open(name, 0) == SEM_FAILED);
	CHECK_EQUAL(errno, ENOENT);
}

int main(void)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 5),
			until_clock = check_in_ms(CLOCK_MONOTONIC, 10);
	pthread_t threads[3];

	check_mark();
	named();
	CHECK_EQUAL(sem_init(&sem, 0, 0), 0);
	CHECK_EQUAL(sem_timedwait(&sem, &until), -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	CHECK_EQUAL(sem_clockwait(&sem, CLOCK_MONOTONIC, &until_clock), -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	threads[0] = thread_start(posts, NULL);
	for (int i = 0; i < 1000; i++)
		CHECK_EQUAL(sem_wait(&sem), 0);
	CHECK_EQUAL(pthread_join(threads[0], NULL), 0);
	CHECK_EQUAL(sem_trywait(&sem), -1);
	CHECK_EQUAL(errno, EAGAIN);

	CHECK_EQUAL(sem_init(&rung, 0, 0), 0);
	/* Without SA_RESTART: a wait for another semaphore is interrupted. */
	struct sigaction action = { .sa_handler = rings };
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK_EQUAL(sem_wait(&sem), -1);
	CHECK_EQUAL(errno, EINTR);
	for (int i = 0; i < 300; i++) {
		free(malloc((size_t)i * 100));
		while (sem_wait(&rung) != 0)
			CHECK_EQUAL(errno, EINTR);
	}
	setitimer(ITIMER_REAL, &never, NULL);

	CHECK_EQUAL(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
	CHECK_EQUAL(pthread_barrier_init(&barrier, NULL, 3), 0);
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(meets, NULL);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	CHECK_EQUAL(serial, 100);
	CHECK_EQUAL(pthread_barrier_destroy(&barrier), 0);
	CHECK_EQUAL(sem_destroy(&sem), 0);
	CHECK_HELD(0);
	printf("semaphores and barriers answer as they should\n");
	return 0;
}
