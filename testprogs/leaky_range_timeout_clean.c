/*
 * leaky_range, put right in another way: the reader waits for a message for a
 * while only, so that the lock is given back before anybody starves.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/chan.h"
#include "lib/map.h"
#include "lib/show.h"

#define WRITERS 4

static struct map sessions = MAP_INIT("sessions");
static struct chan updates = CHAN_INIT;

static void scan_and_receive(struct map *map)
{
	struct map_iter iter;
	const char *key;
	int value, more;

	map_iter_begin(map, &iter);
	while (map_iter_next(&iter, &key, &value)) {
		if (!chan_recv_timeout(&updates, 50, &more))
			continue;
		dprintf(1, "%s %d\n", key, value + more);
	}
	map_iter_end(&iter);
}

static void *reader(void *unused)
{
	show_thread("reader");
	for (int round = 0; round < 8; round++)
		scan_and_receive(&sessions);
	return unused;
}

static void *writer(void *argument)
{
	const char *name = argument;

	show_thread(name);
	map_put(&sessions, name, 1);
	chan_send(&updates, 1);
	return NULL;
}

int main(void)
{
	static const char *const names[WRITERS] = { "writer-1", "writer-2", "writer-3", "writer-4" };
	pthread_t threads[1 + WRITERS];

	map_put(&sessions, "alice", 10);
	map_put(&sessions, "bob", 20);
	map_put(&sessions, "carol", 30);

	threads[0] = thread_start(reader, NULL);
	sleep_ms(100);
	for (int i = 0; i < WRITERS; i++)
		threads[1 + i] = thread_start(writer, (void *)names[i]);
	for (int i = 0; i < 1 + WRITERS; i++)
		pthread_join(threads[i], NULL);
	map_clear(&sessions);
	return 0;
}
