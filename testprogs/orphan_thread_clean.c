/*
 * The twin of orphan_thread: each of these threads sleeps on an object that is hard to reach, and each can be woken: through the
 * stack of a sleeper that is awaited itself, by a packed pointer, by a tagged one, by one that is in a pipe or a
 * timer's value, by who has its thread's handle, by who knows a place in its stack. One waits in a timed way, and the main thread sleeps for ever on purpose.
 *
 * RUN: whoholds run --set leaks=1s %prog packed
 * RUN: whoholds run --set leaks=1s %prog tagged
 * RUN: whoholds run --set leaks=1s %prog chain
 * RUN: whoholds run --set leaks=1s %prog piped
 * RUN: whoholds run --set leaks=1s %prog socket
 * RUN: whoholds run --set leaks=1s %prog timer
 * RUN: whoholds run --set leaks=1s %prog handle
 * RUN: whoholds run --set leaks=1s %prog stack
 * RUN: whoholds run --set leaks=1s %prog timed
 * RUN: whoholds run --set leaks=1s %prog handler
 * RUN: whoholds run --set leaks=1s %prog main
 * TIMEOUT: 120
 * KINDS: none
 * EXPECT-STDOUT: woken
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

struct request {
	sem_t answered;
	sem_t *others;
};

static struct request *request_new(void)
{
	struct request *request = calloc(1, sizeof *request);
	if (!request || sem_init(&request->answered, 0, 0) != 0)
		abort();
	return request;
}

static __attribute__((noinline)) void await(struct request *request)
{
	while (sem_wait(&request->answered) != 0)
		;
	if (request->others)
		sem_post(request->others);
}

static void *sleeper(void *request)
{
	pthread_cleanup_push(free, request);
	await(request);
	pthread_cleanup_pop(1);
	return NULL;
}

/* The thread that sleeps; disguised, since who knows it can cancel it. And how the object is known meanwhile. */
static uint64_t thread;
static pthread_t handle;

static struct __attribute__((packed)) {
	char sort;
	struct request *request;
} packed;
static uint64_t tagged;
static int ends[2];
static timer_t timer;

#define TAG (UINT64_C(0xabcd) << 48)

/* -- each way: what is made, and how it is woken ----------------------------- */

static __attribute__((noinline)) void packed_make(void)
{
	packed.request = request_new();
	thread = ~(uint64_t)thread_start(sleeper, packed.request);
}

static void packed_wake(void)
{
	sem_post(&packed.request->answered);
}

static __attribute__((noinline)) void tagged_make(void)
{
	struct request *request = request_new();
	tagged = (uint64_t)(uintptr_t)request | TAG;
	thread = ~(uint64_t)thread_start(sleeper, request);
}

static void tagged_wake(void)
{
	sem_post(&((struct request *)(uintptr_t)(tagged & ~TAG))->answered);
}

/* The global knows the first; its thread the second; that one's stack the third. */
static __attribute__((noinline)) void *second(void *data)
{
	struct request *last = data;
	struct request *own = request_new();
	packed.request = own;
	own->others = &last->answered;
	await(own);
	free(own);
	return NULL;
}

static __attribute__((noinline)) void chain_make(void)
{
	struct request *last = request_new();
	thread = ~(uint64_t)thread_start(sleeper, last);
	pthread_detach(thread_start(second, last));
}

static __attribute__((noinline)) void piped_make(void)
{
	struct request *request = request_new();
	if (pipe(ends) != 0 || write(ends[1], &request, sizeof request) != sizeof request)
		abort();
	thread = ~(uint64_t)thread_start(sleeper, request);
}

static __attribute__((noinline)) void socket_make(void)
{
	struct request *request = request_new();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
	    write(ends[1], &request, sizeof request) != sizeof request)
		abort();
	thread = ~(uint64_t)thread_start(sleeper, request);
}

static __attribute__((noinline)) void piped_wake(void)
{
	struct request *request;
	if (read(ends[0], &request, sizeof request) != sizeof request)
		abort();
	sem_post(&request->answered);
}

/* The timer's value is all that is known of it; SIGRTMIN is blocked, and taken by hand. */
static __attribute__((noinline)) void timer_make(void)
{
	struct request *request = request_new();
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGRTMIN,
				  .sigev_value.sival_ptr = request };
	struct itimerspec in = { .it_value.tv_sec = 3 };
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &in, NULL) != 0)
		abort();
	thread = ~(uint64_t)thread_start(sleeper, request);
}

static __attribute__((noinline)) void timer_wake(void)
{
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	while (sigwaitinfo(&set, &info) != SIGRTMIN)
		;
	sem_post(&((struct request *)info.si_value.sival_ptr)->answered);
}

static __attribute__((noinline)) void handle_make(void)
{
	handle = thread_start(sleeper, request_new());
	thread = ~(uint64_t)handle;
}

static void handle_wake(void)
{
	pthread_cancel(handle);
}

static void *waits_in_view(void *place)
{
	struct request *request = request_new();
	struct request *volatile known = request;
	*(void *volatile *)place = (void *)&known;
	await(request);
	free(request);
	return NULL;
}

static void *volatile seen_stack;

static __attribute__((noinline)) void stack_make(void)
{
	thread = ~(uint64_t)thread_start(waits_in_view, (void *)&seen_stack);
}

static void stack_wake(void)
{
	sem_post(&(*(struct request *volatile *)seen_stack)->answered);
}

static void *sleeps_for_a_while(void *data)
{
	struct request *request = data;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 3;
	while (sem_timedwait(&request->answered, &until) != 0 && errno != ETIMEDOUT)
		;
	free(request);
	return NULL;
}

static __attribute__((noinline)) void timed_make(void)
{
	thread = ~(uint64_t)thread_start(sleeps_for_a_while, request_new());
}

static void timed_wake(void)
{
}

/* A handler finds it by what is the thread's own. */
static __thread struct request *volatile my_request;

static void post_mine(int signal)
{
	(void)signal;
	if (my_request)
		sem_post(&my_request->answered);
}

static void *known_to_itself(void *request)
{
	my_request = request;
	await(request);
	free(request);
	return NULL;
}

static __attribute__((noinline)) void handler_make(void)
{
	struct sigaction action = { .sa_handler = post_mine, .sa_flags = SA_RESTART };
	sigaction(SIGUSR1, &action, NULL);
	thread = ~(uint64_t)thread_start(known_to_itself, request_new());
}

static void handler_wake(void)
{
	pthread_kill((pthread_t)~thread, SIGUSR1);
}

/* The main thread sleeps until the process ends; nobody means to wake it. */
static void *ends_the_process(void *unused)
{
	sleep_ms(3300);
	puts("woken main");
	fflush(stdout);
	_exit(0);
	return unused;
}

static __attribute__((noinline)) void main_make(void)
{
	thread = ~(uint64_t)thread_start(ends_the_process, NULL);
	await(request_new());
}

static void main_wake(void)
{
}

static const struct {
	const char *name;
	void (*make)(void), (*wake)(void);
} ways[] = {
	{ "packed", packed_make, packed_wake }, { "tagged", tagged_make, tagged_wake },
	{ "chain", chain_make, packed_wake },   { "piped", piped_make, piped_wake },
	{ "socket", socket_make, piped_wake },  { "timer", timer_make, timer_wake },
	{ "handle", handle_make, handle_wake }, { "stack", stack_make, stack_wake },
	{ "timed", timed_make, timed_wake },    { "handler", handler_make, handler_wake },
	{ "main", main_make, main_wake },
};

int main(int argc, char **argv)
{
	sigset_t blocked;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (argc < 2 || strcmp(argv[1], ways[i].name) != 0)
			continue;
		ways[i].make();
		wipe_stack();
		sleep_ms(3300);
		ways[i].wake();
		pthread_join((pthread_t)~thread, NULL);
		printf("woken %s\n", argv[1]);
	}
	return 0;
}
