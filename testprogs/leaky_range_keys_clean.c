/*
 * leaky_range, put right: the keys are copied while the lock is held, and the
 * messages are waited for with nothing held.
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
	size_t count;
	char **keys = map_keys(map, &count);

	for (size_t i = 0; i < count; i++) {
		int value = 0;
		map_get(map, keys[i], &value);
		value += chan_recv(&updates);
		dprintf(1, "%s %d\n", keys[i], value);
	}
	map_keys_free(keys, count);
}

static void *reader(void *unused)
{
	show_thread("reader");
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
	/* The reader waits for its first message well past the threshold. */
	sleep_ms(1500);
	for (int i = 0; i < WRITERS; i++)
		threads[1 + i] = thread_start(writer, (void *)names[i]);
	for (int i = 0; i < 1 + WRITERS; i++)
		pthread_join(threads[i], NULL);
	map_clear(&sessions);
	return 0;
}
