/*
 * The program has a clock_gettime of its own, as preloaded libraries have that give programs another time (libfaketime).
 * Nobody asks it here: neither hooks, in the program's threads, nor the reporter's thread, which has no thread-local storage
 * for such a function to look at.
 *
 * RUN: %prog
 * RUN: whoholds run --set tick=10ms %prog
 * RUN: whoholds run --set tick=10ms --set leaks=1s %prog
 * BUILD: -rdynamic
 * KINDS: none
 * EXPECT-STDOUT: asked 0 times
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static atomic_int asked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	asked++;
	return (int)syscall(SYS_clock_gettime, clock, ret_now);
}

static void *works(void *argument)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&lock);
		free(malloc(100));
		DIR *directory = opendir("/");
		CHECK(directory);
		closedir(directory);
		pthread_mutex_unlock(&lock);
		sleep_ms(3);
	}
	return argument;
}

int main(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		threads[i] = thread_start(works, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	/* Long enough for a search. */
	sleep_ms(1500);
	printf("asked %d times\n", asked);
	return 0;
}
