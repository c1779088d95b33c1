/*
 * What lock_order_outer and its clean twin share: locks that are no mutexes, taken by two threads around two mutexes
 * in both orders, one after the other.
 */
#ifndef WH_LIB_LOCK_ORDER_OUTER_H
#define WH_LIB_LOCK_ORDER_OUTER_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/show.h"
#include "whoholds.h"

struct pair {
	pthread_mutex_t one, other;
};

static pthread_barrier_t first_is_done;
static FILE *file; /* each thread opens it again, and so has locks of its own */

static int file_again(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
	return open(path, O_RDWR | O_CLOEXEC);
}

static void file_lock_whole(int fd, int type)
{
	struct flock whole = { .l_type = (short)type };
	fcntl(fd, F_OFD_SETLKW, &whole);
}

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_mutex_lock(other); /* line: inner */
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static int both(void *(*first)(void *), void *(*second)(void *))
{
	file = tmpfile();
	if (!file)
		return 1;
	pthread_barrier_init(&first_is_done, NULL, 2);
	pthread_t threads[] = { thread_start(first, NULL), thread_start(second, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return fclose(file);
}

#endif
