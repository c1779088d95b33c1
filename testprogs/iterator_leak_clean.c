/*
 * iterator_leak, put right: what was taken is given back, by whichever thread; and a thread that is in the
 * middle of its work when the process ends has lost nothing, nor has the program what it still knows.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/show.h"
#include "whoholds.h"

struct connection {
	int number;
	char *buffer;
};

static int table;
static struct connection *volatile kept;
static pthread_barrier_t ready;

static void *look(void *cursor)
{
	wh_iter_open(&table, cursor, "table");
	wh_iter_close(cursor);
	return NULL;
}

static void *take_ticket(void *unused)
{
	wh_acquired("ticket", (void *)4711, NULL);
	return unused;
}

static void *look_for_long(void *cursor)
{
	wh_iter_open(&table, cursor, "table");
	pthread_barrier_wait(&ready);
	for (;;)
		sleep_ms(1000);
	return NULL;
}

int main(void)
{
	static int cursors[4];

	pthread_barrier_init(&ready, NULL, 2);
	for (int i = 0; i < 3; i++)
		pthread_join(thread_start(look, &cursors[i]), NULL);
	pthread_join(thread_start(take_ticket, NULL), NULL);
	wh_released("ticket", (void *)4711);
	kept = malloc(sizeof *kept);
	wh_acquired("connection", kept, NULL);
	thread_start(look_for_long, &cursors[3]);
	pthread_barrier_wait(&ready);
	return 0;
}
