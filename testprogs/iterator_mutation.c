/*
 * A writer puts an entry into a map while a reader iterates over it, since it
 * takes the wrong lock; and a loop adds to the map that it iterates over.
 *
 * Hard because nothing crashes: the reader merely misses an entry now and then.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: iterator-mutation
 * EXPECT: error iterator-mutation: thread 3 "writer" changed what thread 2 "reader" was iterating over
 * EXPECT: error iterator-mutation: thread 1 "main" changed what it was iterating over itself
 * EXPECT: thread 2 "reader" had opened iterator "sessions" in
 * EXPECT-JSON: [finding("iterator-mutation")] | length == 2
 * EXPECT-JSON: finding("iterator-mutation") | has_frame("changed"; "sessions_add"; {{line changes}}) and has_frame("changed"; "writer"; {{line writer adds}}) and has_frame("opened"; "reader"; {{line reader iterates}})
 * EXPECT-JSON: finding("iterator-mutation") | has_frame("changed"; "main"; {{line adds in loop}}) and has_frame("opened"; "main"; {{line loop iterates}})
 */
#include <pthread.h>

#include "lib/show.h"
#include "whoholds.h"

#define ROOM 100

static struct {
	pthread_mutex_t readers, writers; /* two, where there should be one */
	int count, entries[ROOM];
} sessions = { .readers = PTHREAD_MUTEX_INITIALIZER, .writers = PTHREAD_MUTEX_INITIALIZER, .count = 3 };

static pthread_barrier_t begun, changed;

static void sessions_add(int entry)
{
	wh_container_changing(&sessions); /* line: changes */
	sessions.entries[sessions.count++ % ROOM] = entry;
}

static void *reader(void *unused)
{
	int iterator, sum = 0;

	show_thread("reader");
	pthread_mutex_lock(&sessions.readers);
	wh_iter_open(&sessions, &iterator, "sessions"); /* line: reader iterates */
	for (iterator = 0; iterator < 3; iterator++)
		sum += sessions.entries[iterator];
	pthread_barrier_wait(&begun);
	pthread_barrier_wait(&changed);
	wh_iter_close(&iterator);
	pthread_mutex_unlock(&sessions.readers);
	return sum ? unused : NULL;
}

static void *writer(void *unused)
{
	show_thread("writer");
	pthread_barrier_wait(&begun);
	pthread_mutex_lock(&sessions.writers);
	for (int i = 0; i < 10; i++)
		sessions_add(i); /* line: writer adds */
	pthread_mutex_unlock(&sessions.writers);
	pthread_barrier_wait(&changed);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&begun, NULL, 2);
	pthread_barrier_init(&changed, NULL, 2);
	pthread_t first = thread_start(reader, NULL);
	sleep_ms(50);
	pthread_t second = thread_start(writer, NULL);
	pthread_join(first, NULL);
	pthread_join(second, NULL);

	int iterator;
	wh_iter_open(&sessions, &iterator, NULL); /* line: loop iterates */
	for (iterator = 0; iterator < 5; iterator++)
		sessions_add(iterator); /* line: adds in loop */
	wh_iter_close(&iterator);
	return 0;
}
