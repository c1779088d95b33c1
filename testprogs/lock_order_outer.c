/*
 * Two mutexes in both orders, with another lock held that doesn't keep the two threads apart: both have the lock of the file
 * for reading; one has that of the file where the other has that of a stream.
 *
 * KINDS: lock-order
 * EXPECT: mutex by_flock.one and mutex by_flock.other
 * EXPECT: mutex by_any.one and mutex by_any.other
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "take"; {{line lib/lock_order_outer.h inner}})
 * TWIN: lock_order_outer_clean
 */
#include "lib/lock_order_outer.h"

static struct pair by_flock = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static struct pair by_any = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };

static void *forth(void *unused)
{
	int fd = file_again();
	flock(fd, LOCK_SH);
	take(&by_flock.one, &by_flock.other);
	flock(fd, LOCK_UN);
	file_lock_whole(fd, F_WRLCK);
	take(&by_any.one, &by_any.other);
	file_lock_whole(fd, F_UNLCK);
	close(fd);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *back(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	int fd = file_again();
	flock(fd, LOCK_SH);
	take(&by_flock.other, &by_flock.one);
	flock(fd, LOCK_UN);
	close(fd);
	flockfile(file);
	take(&by_any.other, &by_any.one);
	funlockfile(file);
	return unused;
}

int main(void)
{
	return both(forth, back);
}
