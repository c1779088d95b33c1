/*
 * Each connection has a key of its own for what threads know of it, and a handler that would close it at exit. Of those that are
 * closed early neither is taken back.
 * Hard because: all of it can be reached, and at the end all of it is freed.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: ghost
 * EXPECT: kept alive by thread-specific values, of a key each, alone, from state_new
 * EXPECT: kept alive by at-exit handlers alone, from connection_new
 * EXPECT-JSON: finding("ghost") | select(.count >= 32 and .count <= 100 and .bytes == .count * 48) | has_frame("allocated"; "state_new"; {{line state}})
 * EXPECT-JSON: finding("ghost") | select(.count >= 32 and .count <= 100 and .bytes == .count * 96) | has_frame("allocated"; "connection_new"; {{line connection}})
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lose.h"

#define CONNECTIONS 100

struct connection {
	pthread_key_t key;
	char text[92];
};

static struct connection *volatile newest;

static __attribute__((noinline)) void *state_new(void)
{
	return calloc(1, 48); /* line: state */
}

static void close_at_exit(int status, void *connection)
{
	(void)status;
	free(connection);
}

static __attribute__((noinline)) void connection_new(void)
{
	struct connection *connection = calloc(1, sizeof *connection); /* line: connection */
	pthread_key_create(&connection->key, free);
	pthread_setspecific(connection->key, state_new());
	on_exit(close_at_exit, connection);
	newest = connection;
}

int main(void)
{
	for (int i = 0; i < CONNECTIONS; i++)
		connection_new();
	newest = NULL;
	wipe_stack();
	pthread_t other;
	if (pthread_create(&other, NULL, sleep_on, NULL) != 0)
		return 1;
	/* Two searches, on a machine that may be slow: until the second is told there is nothing else to do. */
	sleep(6);
	return 0;
}
