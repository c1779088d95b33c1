/*
 * rwlock_recursive, put right: the function that is called with the lock held does not take it; and a lock of the
 * default kind is taken for reading twice, writers or not.
 *
 * RUN: whoholds run --set blocked=1s --set tick=5ms %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_rwlock_t users = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t groups = PTHREAD_RWLOCK_INITIALIZER;

static void *reads(void *unused)
{
	for (int i = 0; i < 50; i++) {
		pthread_rwlock_rdlock(&users);
		sleep_ms(1);
		pthread_rwlock_unlock(&users);
		pthread_rwlock_rdlock(&groups);
		sleep_ms(1);
		pthread_rwlock_rdlock(&groups);
		pthread_rwlock_unlock(&groups);
		pthread_rwlock_unlock(&groups);
	}
	return unused;
}

static void *writes(void *unused)
{
	for (int i = 0; i < 50; i++) {
		pthread_rwlock_wrlock(&users);
		pthread_rwlock_unlock(&users);
		pthread_rwlock_wrlock(&groups);
		pthread_rwlock_unlock(&groups);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(reads, NULL), thread_start(writes, NULL),
				thread_start(reads, NULL) };

	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	return 0;
}
