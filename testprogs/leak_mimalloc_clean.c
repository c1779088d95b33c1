/*
 * The same, kept in a table or freed, also by another thread than made them, grown, and aligned.
 *
 * BUILD: -Wl,--no-as-needed -lmimalloc
 * KINDS: none
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"

#define SESSIONS 600

static char *sessions[SESSIONS];
static void *pictures[2];

static void *serve(void *unused)
{
	for (int i = 0; i < SESSIONS; i++) {
		size_t size = 8 + (size_t)i * 40;
		free(sessions[i]);
		sessions[i] = i % 5 ? malloc(size) : aligned_alloc(64, (size + 63) & ~(size_t)63);
		memset(sessions[i], 1, size);
		if (i % 3 == 0)
			sessions[i] = realloc(sessions[i], size * 3);
	}
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
	for (int i = 0; i < 2; i++)
		pictures[i] = calloc(3, 1000000);
	free(pictures[0]);
	pictures[0] = NULL;
	wipe_stack();
	return 0;
}
