/*
 * The case this project began with. A reader iterates over a map; the iterator
 * holds the map's lock shared. Inside the loop it waits for a message a key. The
 * messages come from writers that first put something into the map, so they wait
 * for the reader's iterator and never send: everything stands still.
 *
 * Hard because no cycle of locks exists: the reader waits in a condition
 * variable, which nobody holds.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder:
 * EXPECT: thread 2 "reader" has been blocked for
 * EXPECT: in chan_recv and holds what 4 threads wait for
 * EXPECT: chan_recv
 * EXPECT: chan.c:{{line chan.c chan_recv waits}}
 * EXPECT: leaky_range.c:{{line receives}}
 * EXPECT: sessions
 * EXPECT: "writer-1"
 * EXPECT: "writer-2"
 * EXPECT: "writer-3"
 * EXPECT: "writer-4"
 * EXPECT: map.c:{{line map.c map_put waits}}
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["reader"]
 * EXPECT-JSON: finding("stuck-holder") | has_thread({{tid reader}}) and has_thread({{tid writer-1}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame("blocked"; "chan_recv"; {{line chan.c chan_recv waits}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame("blocked"; "scan_and_receive"; {{line receives}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame("acquired"; "map_iter_begin"; {{line map.c map_iter_begin locks}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame("opened"; "map_iter_begin"; {{line map.c map_iter_begin opens}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame("opened"; "scan_and_receive"; {{line iterates}})
 * EXPECT-JSON: finding("stuck-holder") | [.stacks[] | select(.role == "waits" and .thread != 1)] | length == 4
 * EXPECT-JSON: finding("stuck-holder") | has_frame("waits"; "map_put"; {{line map.c map_put waits}})
 * EXPECT-JSON: finding("stuck-holder") | has_object("rwlock"; "{{addr sessions.lock}}")
 * EXPECT-JSON: finding("stuck-holder") | [object("rwlock"; "{{addr sessions.lock}}").waiters | length] == [4]
 * EXPECT-JSON: finding("stuck-holder") | has_object("iterator"; "{{addr iterator}}")
 * EXPECT-DUMP: "reader"
 * EXPECT-DUMP: "writer-4"
 * EXPECT-DUMP: leaky_range.c:{{line receives}}
 * EXPECT-DUMP: map.c:{{line map.c map_iter_begin locks}}
 * EXPECT-REPORT: leaky_range.c:{{line receives}}
 * EXPECT-REPORT: "writer-2"
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
	int value;

	show_addr("iterator", &iter);
	map_iter_begin(map, &iter); /* line: iterates */
	while (map_iter_next(&iter, &key, &value)) {
		show_ready("iterating");
		value += chan_recv(&updates); /* line: receives */
		dprintf(1, "%s %d\n", key, value);
	}
	map_iter_end(&iter);
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

	show_addr("sessions.lock", &sessions.lock);
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
