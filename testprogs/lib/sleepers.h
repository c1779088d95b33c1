/*
 * Threads that sleep in the calls that block, for the search for lost memory to leave alone; and whether it has.
 */
#ifndef TESTPROGS_SLEEPERS_H
#define TESTPROGS_SLEEPERS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "show.h"
#include "whoholds.h"

/* -- what one sleeps in; none returns by itself -------------- */

static int silent[2]; /* a pipe that nobody writes to */
static int silent_epoll, silent_queue;
static uint32_t silent_word;
static pthread_mutex_t silent_lock = PTHREAD_MUTEX_INITIALIZER, held_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t held_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t silent_cond = PTHREAD_COND_INITIALIZER;
static sem_t silent_semaphore;
static pthread_barrier_t silent_barrier;

static void in_read(void)
{
	char byte;
	read(silent[0], &byte, 1);
}

static void in_poll(void)
{
	struct pollfd one = { .fd = silent[0], .events = POLLIN };
	poll(&one, 1, -1);
}

static void in_epoll(void)
{
	struct epoll_event event;
	epoll_wait(silent_epoll, &event, 1, -1);
}

static void in_nanosleep(void)
{
	nanosleep(&(struct timespec){ .tv_sec = 100000 }, NULL);
}

static void in_futex(void)
{
	syscall(SYS_futex, &silent_word, 128 /* wait, private */, 0, NULL, NULL, 0);
}

static void in_futex_timed(void)
{
	syscall(SYS_futex, &silent_word, 128, 0, &(struct timespec){ .tv_sec = 100000 }, NULL, 0);
}

static void in_mutex(void)
{
	pthread_mutex_lock(&held_lock);
	pthread_mutex_unlock(&held_lock);
}

static void in_rwlock(void)
{
	pthread_rwlock_rdlock(&held_rwlock);
	pthread_rwlock_unlock(&held_rwlock);
}

static void in_cond(void)
{
	pthread_mutex_lock(&silent_lock);
	pthread_cond_wait(&silent_cond, &silent_lock);
}

static void in_semaphore(void)
{
	sem_wait(&silent_semaphore);
}

static void in_barrier(void)
{
	pthread_barrier_wait(&silent_barrier);
}

static void in_msgrcv(void)
{
	char message[sizeof(long) + 8];
	msgrcv(silent_queue, message, 8, 0, 0);
}

static void in_once(void);

/* Of a file that the program has open twice: the other description has the lock. */
static int locked_fd, other_fd;

static void in_file_lock(void)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	fcntl(other_fd, F_OFD_SETLKW, &all);
}

static void (*const ways_to_sleep[])(void) = {
	in_read,   in_poll, in_epoll,     in_nanosleep, in_futex,  in_futex_timed, in_mutex,
	in_rwlock, in_cond, in_semaphore, in_barrier,   in_msgrcv, in_once,        in_file_lock,
};
#define WAYS_TO_SLEEP (sizeof ways_to_sleep / sizeof *ways_to_sleep)

/* -- threads ------------------------------------------------------------------------ */

#define SLEEPERS_MOST 144

struct sleeper {
	void (*sleep)(void);
	atomic_int tid; /* 0: not there yet */
	unsigned long turns;
};

static struct sleeper sleepers[SLEEPERS_MOST];
static unsigned sleeper_count;
static atomic_uint woken; /* calls that came back */

static void sleepers_prepare(void)
{
	CHECK_EQUAL(pipe(silent), 0);
	silent_epoll = epoll_create1(0);
	silent_queue = msgget(IPC_PRIVATE, 0600);
	sem_init(&silent_semaphore, 0, 0);
	pthread_barrier_init(&silent_barrier, NULL, SLEEPERS_MOST);
	pthread_mutex_lock(&held_lock);
	pthread_rwlock_wrlock(&held_rwlock);
	locked_fd = memfd_create("locked", MFD_CLOEXEC);
	CHECK(locked_fd >= 0);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", locked_fd);
	other_fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQUAL(fcntl(locked_fd, F_OFD_SETLK, &all), 0);
}

/* Who waits for a lock gets it, and gives it back; the others sleep on. */
static void sleepers_finish(void)
{
	unsigned waiting = 0;
	for (unsigned i = 0; i < sleeper_count; i++)
		waiting += sleepers[i].sleep == in_mutex || sleepers[i].sleep == in_rwlock ||
			   sleepers[i].sleep == in_once || sleepers[i].sleep == in_file_lock;
	pthread_mutex_unlock(&held_lock);
	pthread_rwlock_unlock(&held_rwlock);
	close(locked_fd); /* the others have one description in common: all of them get it */
	while (atomic_load(&woken) != waiting)
		sleep_ms(1);
	msgctl(silent_queue, IPC_RMID, NULL);
}

/* Text from the kernel about one of our threads. Return: false: there is none. */
static bool sleeper_read(const struct sleeper *sleeper, const char *what, char *text, size_t bytes)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/%s", atomic_load(&sleeper->tid), what);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, bytes - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* How often it has had a processor. */
static unsigned long sleeper_turns(const struct sleeper *sleeper)
{
	char text[128];
	unsigned long turns = 0;
	if (!sleeper_read(sleeper, "schedstat", text, sizeof text) ||
	    sscanf(text, "%*u %*u %lu", &turns) != 1)
		return 0;
	return turns;
}

static bool sleeps(const struct sleeper *sleeper)
{
	char text[256];
	/* Any call but the one by which it makes itself known. */
	return atomic_load(&sleeper->tid) && sleeper_read(sleeper, "syscall", text, sizeof text) &&
	       text[0] >= '0' && text[0] <= '9';
}

/* Waits until all of them are asleep for good, as far as anybody can see. */
static void sleepers_settle(void)
{
	for (bool again = true; again;) {
		again = false;
		for (unsigned i = 0; i < sleeper_count; i++) {
			unsigned long turns = atomic_load(&sleepers[i].tid) ? sleeper_turns(&sleepers[i]) : 0;
			if (!sleeps(&sleepers[i]) || turns != sleepers[i].turns)
				again = true;
			sleepers[i].turns = turns;
		}
		sleep_ms(20);
	}
}

/* How many of them have run since they were settled. */
static unsigned sleepers_disturbed(void)
{
	unsigned disturbed = 0;
	for (unsigned i = 0; i < sleeper_count; i++)
		disturbed += sleeper_turns(&sleepers[i]) != sleepers[i].turns;
	return disturbed;
}

/* Whether the kernel tells of a thread what it takes to leave it alone. */
static bool sleepers_visible(void)
{
	struct sleeper self = { .tid = (int)syscall(SYS_gettid) };
	char text[256];
	return sleeper_turns(&self) && sleeper_read(&self, "syscall", text, sizeof text);
}

static struct {
	void (*start)(void);
	size_t lost;
	wh_mark begin;
} watched;

static void watch(void)
{
	watched.start();
	sleepers_settle();
	CHECK_EQUAL((long)wh_lost_bytes_since(watched.begin), wh_active() ? (long)watched.lost : 0);
	CHECK_EQUAL(sleepers_disturbed(), 0);
	sleep_ms(2500);
	CHECK_EQUAL(sleepers_disturbed(), 0);
	CHECK_EQUAL(woken, 0);
}

static pthread_once_t watching = PTHREAD_ONCE_INIT;

/* That routine is what main runs meanwhile. */
static void in_once(void)
{
	pthread_once(&watching, watch);
}

/*
 * Lets `start` make the sleepers, and searches for what is lost while they sleep: in the process itself, and by its reporter.
 * Nobody may be woken or given a processor for it. Return: main's.
 */
static int sleepers_run(void (*start)(void), size_t lost)
{
	if (!sleepers_visible()) {
		puts("the kernel does not say how often a thread has run");
		return 77;
	}
	watched.start = start;
	watched.lost = lost;
	watched.begin = wh_now();
	sleepers_prepare();
	in_once();
	sleepers_finish();
	return 0;
}

#endif
