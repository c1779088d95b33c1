/*
 * The clean twin: all that are asked for are given before the giver ends.
 *
 * KINDS: none
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
	sem_post(&room->places);
}

static void *giver(void *room)
{
	show_thread("giver");
	for (int i = 0; i < 3; i++)
		give(room);
	return NULL;
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
	struct room *room = calloc(1, sizeof(*room));
	sem_init(&room->places, 0, 0);
	show_addr("places", &room->places);
	pthread_t threads[] = { thread_start(guest, room), thread_start(giver, room) };
	for (int i = 1; i >= 0; i--)
		pthread_join(threads[i], NULL);
	sem_destroy(&room->places);
	free(room);
	return 0;
}
