/*
 * Two mutexes in both orders, but always with another lock held, which keeps the two threads apart: the lock of an open
 * file (by flock, and by fcntl), that of a stream, and a hand-made one that is annotated.
 *
 * KINDS: none
 */
#include "lib/lock_order_outer.h"

static struct pair by_flock = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static struct pair by_fcntl = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static struct pair by_stream = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static struct pair by_hand = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static char spot;

static void take_all(int forth)
{
	int fd = file_again();
	flock(fd, LOCK_EX);
	take(forth ? &by_flock.one : &by_flock.other, forth ? &by_flock.other : &by_flock.one);
	flock(fd, LOCK_UN);

	file_lock_whole(fd, F_WRLCK);
	take(forth ? &by_fcntl.one : &by_fcntl.other, forth ? &by_fcntl.other : &by_fcntl.one);
	file_lock_whole(fd, F_UNLCK);
	close(fd);

	flockfile(file);
	take(forth ? &by_stream.one : &by_stream.other, forth ? &by_stream.other : &by_stream.one);
	funlockfile(file);

	while (__atomic_test_and_set(&spot, __ATOMIC_ACQUIRE))
		;
	wh_lock_acquired(&spot, 0);
	take(forth ? &by_hand.one : &by_hand.other, forth ? &by_hand.other : &by_hand.one);
	wh_lock_released(&spot);
	__atomic_clear(&spot, __ATOMIC_RELEASE);
}

static void *forth(void *unused)
{
	take_all(1);
	pthread_barrier_wait(&first_is_done);
	return unused;
}

static void *back(void *unused)
{
	pthread_barrier_wait(&first_is_done);
	take_all(0);
	return unused;
}

int main(void)
{
	return both(forth, back);
}
