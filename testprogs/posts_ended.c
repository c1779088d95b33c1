/*
 * Who hands out places gave back two and ended, before it had given back the third: the last of three that ask for one
 * waits for good, and main for it. The semaphore is in a block of the heap.
 *
 * Hard because a semaphore has no owner, and who could post it is gone: nothing but what it did before tells who that was.
 *
 * HANGS: yes
 * TIMEOUT: 30
 * KINDS: deadlock
 * EXPECT: error deadlock: all 2 threads have waited
 * EXPECT: (+8 in a 40-byte block from main posts_ended.c:{{line room}})
 * EXPECT: last posted
 * EXPECT: "giver" (ended
 * EXPECT: , 2 times in all, in
 * EXPECT: give                  posts_ended.c:{{line posts}}
 * EXPECT-NOT: last signalled
 * EXPECT-DUMP: "giver" (ended
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .kind == "sem" and .address == "{{addr places}}" and .signalled.thread_name == "giver" and .signalled.thread_state == "ended" and .signalled.count == 2 and .signalled.op == "sem_post"
 */
#include <semaphore.h>
#include <stdlib.h>

#include "lib/show.h"

struct room {
	long number;
	sem_t places;
};

static void give(struct room *room)
{
	sem_post(&room->places); /* line: posts */
}

static void *giver(void *room)
{
	show_thread("giver");
	for (int i = 0; i < 2; i++)
		give(room);
	return NULL; /* and one is owed still */
}

static void *guest(void *room_)
{
	struct room *room = room_;
	for (int i = 0; i < 3; i++)
		while (sem_wait(&room->places) != 0)
			;
	return NULL;
}

int main(void)
{
	struct room *room = calloc(1, sizeof(*room)); /* line: room */
	sem_init(&room->places, 0, 0);
	show_addr("places", &room->places);
	pthread_t threads[] = { thread_start(guest, room), thread_start(giver, room) };
	for (int i = 1; i >= 0; i--)
		pthread_join(threads[i], NULL);
	sem_destroy(&room->places);
	free(room);
	return 0;
}
