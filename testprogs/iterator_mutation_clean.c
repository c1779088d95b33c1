/*
 * Changes of a map that no iterator minds: by a writer under the lock that readers iterate under; after the loop;
 * of another map; and of the loop's own current entry, through the iterator.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <pthread.h>

#include "lib/show.h"
#include "whoholds.h"

#define ROUNDS 2000

static struct map {
	pthread_mutex_t lock;
	int count;
} sessions = { .lock = PTHREAD_MUTEX_INITIALIZER }, others = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void map_add(struct map *map)
{
	wh_container_changing(map);
	map->count++;
}

static void *reader(void *unused)
{
	for (int round = 0; round < ROUNDS; round++) {
		int iterator;

		pthread_mutex_lock(&sessions.lock);
		wh_iter_open(&sessions, &iterator, "sessions");
		for (iterator = 0; iterator < 3; iterator++)
			map_add(&others);
		wh_iter_changing(&iterator);
		sessions.count--;
		wh_iter_close(&iterator);
		map_add(&sessions);
		pthread_mutex_unlock(&sessions.lock);
	}
	return unused;
}

static void *writer(void *unused)
{
	for (int round = 0; round < ROUNDS; round++) {
		pthread_mutex_lock(&sessions.lock);
		map_add(&sessions);
		pthread_mutex_unlock(&sessions.lock);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[3] = { thread_start(reader, NULL), thread_start(writer, NULL),
				 thread_start(writer, NULL) };

	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
