/*
 * Iterators and other paired resources that nobody will close any more: one whose thread has ended, one of
 * the thread that ends the process, one whose handle is a block that was lost, and a number.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: iterator-leak
 * EXPECT-JSON: [finding("iterator-leak")] | length == 4
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 3) | has_frame("opened"; "look"; {{line thread}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 1) | has_frame("opened"; "main"; {{line main}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 2) | has_frame("opened"; "connect_and_forget"; {{line block}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 1) | has_frame("opened"; "main"; {{line number}})
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

static void *look(void *cursor)
{
	wh_iter_open(&table, cursor, "table"); /* line: thread */
	return NULL;
}

static __attribute__((noinline)) void connect_and_forget(void)
{
	struct connection *volatile connection = malloc(sizeof *connection);
	connection->buffer = malloc(4000);
	wh_acquired("connection", connection, NULL); /* line: block */
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

int main(void)
{
	static int cursors[4];

	for (int i = 0; i < 3; i++)
		pthread_join(thread_start(look, &cursors[i]), NULL);
	wh_iter_open(&table, &cursors[3], "table"); /* line: main */
	/* From one place: the compiler would write a loop of a known length out. */
	volatile int times = 2;
	for (int i = 0; i < times; i++)
		connect_and_forget();
	wh_acquired("ticket", (void *)4711, NULL); /* line: number */
	wipe_stack();
	return 0;
}
