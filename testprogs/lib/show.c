#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void show_addr(const char *name, const void *address)
{
	dprintf(1, "addr %s 0x%lx\n", name, (unsigned long)address);
}

void show_thread(const char *name)
{
	pthread_setname_np(pthread_self(), name);
	dprintf(1, "tid %s %ld\n", name, syscall(SYS_gettid));
}

void show_ready(const char *name)
{
	dprintf(1, "ready %s\n", name);
}

pthread_t thread_start(void *(*routine)(void *), void *argument)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, routine, argument);

	if (error) {
		dprintf(2, "pthread_create failed: error %d\n", error);
		exit(99);
	}
	return thread;
}

void sleep_ms(unsigned ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}
