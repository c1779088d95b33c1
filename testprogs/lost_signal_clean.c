/*
 * Every thread that a program knows of waits without an end, for longer than a
 * moment, and something comes all the same: a signal whose handler posts, a timer's own thread, a thread
 * made with clone(), another process that shares the semaphore. None of them is a hang.
 *
 * RUN: whoholds run %prog handler
 * RUN: whoholds run %prog timer
 * RUN: whoholds run %prog clone
 * RUN: whoholds run %prog shared
 * RUN: whoholds run %prog wakes
 * TIMEOUT: 40
 * KINDS: none
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define LONG_MS 1800 /* longer than any look takes to make up its mind */

static sem_t *come;
static sem_t own;

static void post_from_handler(int signal)
{
	(void)signal;
	sem_post(come);
}

static void post_from_timer(union sigval unused)
{
	(void)unused;
	sem_post(come);
}

static void set_timer(struct sigevent *event)
{
	timer_t timer;
	struct itimerspec in = { .it_value = { .tv_sec = LONG_MS / 1000,
					       .tv_nsec = LONG_MS % 1000 * 1000000L } };
	CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, event, &timer), 0);
	CHECK_EQUAL(timer_settime(timer, 0, &in, NULL), 0);
}

/* Runs with the memory of the process and none of libc's idea of a thread, so it calls the kernel alone. */
static int word;

static int raw_thread(void *unused)
{
	struct timespec time = { .tv_sec = LONG_MS / 1000, .tv_nsec = LONG_MS % 1000 * 1000000L };
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_nanosleep), "D"(&time), "S"(0)
			 : "rcx", "r11", "memory");
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_futex), "D"(&word), "S"(129 /* wake, private */), "d"(1)
			 : "rcx", "r11", "memory");
	__asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
	(void)unused;
	return 0;
}

static void wait_for_clone(void)
{
	static char stack[65536] __attribute__((aligned(64)));
	int made =
	    clone(raw_thread, stack + sizeof(stack),
		  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL);
	CHECK(made > 0);
	while (!__atomic_load_n(&word, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &word, 128 /* wait, private */, 0, NULL, NULL, 0);
}

static void *waits(void *unused)
{
	while (sem_wait(come) != 0)
		CHECK_EQUAL(errno, EINTR);
	return unused;
}

/* One that wakes the others now and then, and is asleep in between as they are. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int whose;

static void *takes_turns(void *argument)
{
	int mine = *(int *)argument;
	for (int i = 0; i < 8; i++) {
		pthread_mutex_lock(&lock);
		while (whose != mine)
			pthread_cond_wait(&turn, &lock);
		pthread_mutex_unlock(&lock);
		sleep_ms(150);
		pthread_mutex_lock(&lock);
		whose = !mine;
		pthread_cond_broadcast(&turn);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "wakes";
	static int numbers[] = { 0, 1 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	pid_t child = 0;

	come = &own;
	if (!strcmp(what, "shared"))
		come = mmap(NULL, sizeof(*come), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_EQUAL(sem_init(come, !strcmp(what, "shared"), 0), 0);
	if (!strcmp(what, "wakes")) {
		pthread_t threads[] = { thread_start(takes_turns, &numbers[0]),
					thread_start(takes_turns, &numbers[1]) };
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		return 0;
	}
	if (!strcmp(what, "clone")) {
		wait_for_clone();
		return 0;
	}
	if (!strcmp(what, "shared") && (child = fork()) == 0) {
		sleep_ms(LONG_MS);
		sem_post(come);
		_exit(0);
	}
	if (!strcmp(what, "handler")) {
		struct sigaction action = { .sa_handler = post_from_handler };
		sigaction(SIGUSR1, &action, NULL);
		set_timer(&event);
	}
	if (!strcmp(what, "timer")) {
		event.sigev_notify = SIGEV_THREAD;
		event.sigev_notify_function = post_from_timer;
		set_timer(&event);
	}
	pthread_join(thread_start(waits, NULL), NULL);
	if (child)
		waitpid(child, NULL, 0);
	return 0;
}
