/*
 * A program with mimalloc for its malloc: blocks of all sizes are lost, by two threads, one of which has ended.
 *
 * BUILD: -Wl,--no-as-needed -lmimalloc
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | has_function("allocated"; "session_new") and .count >= 50
 * EXPECT-JSON: finding("leak") | has_function("allocated"; "picture_new")
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"

__attribute__((noinline)) static char *session_new(int number)
{
	size_t size = 8 + (size_t)number * 40;
	char *volatile session = malloc(size);
	memset(session, 1, size);
	return session;
}

__attribute__((noinline)) static void *picture_new(void)
{
	return calloc(3, 1000000);
}

static void *serve(void *unused)
{
	for (int i = 0; i < 60; i++)
		session_new(i);
	picture_new();
	wipe_stack();
	return unused;
}

int main(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, serve, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	serve(NULL);
	wipe_stack();
	return 0;
}
