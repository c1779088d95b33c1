/*
 * Opens what a program may well keep to its end: a named semaphore, timers, a key.
 */
#ifndef TESTPROGS_KEPT_OPEN_H
#define TESTPROGS_KEPT_OPEN_H

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static sem_t *named_semaphore(void)
{
	char name[64];
	snprintf(name, sizeof name, "/whoholds-kept-open-%d", (int)getpid());
	sem_t *made = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	sem_unlink(name);
	return made;
}

static void nothing(union sigval value)
{
	(void)value;
}

/* The ids of timers that the kernel keeps begin at 0; that of one with a thread is something else. */
static int makes_timers(timer_t *ret_timers)
{
	struct sigevent events[] = { { .sigev_notify = SIGEV_NONE },
				     { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = nothing } };
	int result = 0;
	for (volatile int i = 0; i < 2; i++)
		result |= timer_create(CLOCK_MONOTONIC, &events[i], &ret_timers[i]); /* line: timer */
	return result;
}

static timer_t timers[2];
static sem_t *semaphore;
static pthread_key_t key;

static int makes_all(void)
{
	semaphore = named_semaphore();
	return makes_timers(timers) | pthread_key_create(&key, NULL) | (semaphore ? 0 : -1);
}

static int gives_all_back(void)
{
	return timer_delete(timers[0]) | timer_delete(timers[1]) | pthread_key_delete(key) |
	       sem_close(semaphore);
}

#endif
