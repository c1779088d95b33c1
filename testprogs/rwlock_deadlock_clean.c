/*
 * rwlock_deadlock, put right: the journal always comes first. Readers and a
 * writer go at it for a while.
 *
 * RUN: whoholds run --set blocked=1s --set tick=5ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/show.h"

#define ROUNDS 20000

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static long rows;

static void *reader(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&journal);
		pthread_rwlock_rdlock(&table);
		long seen = rows;
		pthread_rwlock_unlock(&table);
		pthread_mutex_unlock(&journal);
		if (seen < 0)
			puts("impossible");
	}
	return unused;
}

static void *writer(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&journal);
		pthread_rwlock_wrlock(&table);
		rows++;
		pthread_rwlock_unlock(&table);
		pthread_mutex_unlock(&journal);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(reader, NULL), thread_start(reader, NULL),
				thread_start(writer, NULL) };

	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("%ld rows\n", rows);
	return 0;
}
