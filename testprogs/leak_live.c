/*
 * Blocks are lost while the program works, and it never comes to its end: it is killed by a deadline of its own that
 * nobody judges anything at. A list that is cut off its head, and blocks that workers forget.
 * Hard because: the workers move, allocate and free all the time, and may only be held still for a moment.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: leak
 * EXPECT: 2 findings were reported above
 * EXPECT-JSON: finding("leak") | select(.count == 1 and .bytes == 64 and .indirect_bytes == 19 * 64 and .cycle == false) | has_frame("allocated"; "lose_list"; {{line list}})
 * EXPECT-JSON: finding("leak") | select(.count == 30 and .bytes == 30 * 100) | has_frame("allocated"; "forget"; {{line forget}})
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

struct link {
	struct link *next;
	char text[56];
};

static void *volatile seen;
static pthread_barrier_t forgotten;

static __attribute__((noinline)) void lose_list(void)
{
	struct link *head = NULL;
	for (int i = 0; i < 20; i++) {
		struct link *link = malloc(sizeof *link); /* line: list */
		link->next = head;
		head = link;
	}
	seen = head;
	seen = NULL;
}

static __attribute__((noinline)) void forget(void)
{
	for (int i = 0; i < 10; i++)
		seen = malloc(100); /* line: forget */
	seen = NULL;
}

static void *worker(void *unused)
{
	char **table = NULL;
	pthread_barrier_wait(&forgotten);
	forget();
	pthread_barrier_wait(&forgotten);
	wipe_stack();
	for (size_t count = 0;; count++) {
		table = realloc(table, (count % 1000 + 1) * sizeof *table);
		char *text = strdup("a block that is in use");
		table[count % 1000] = text;
		if (count % 1000 == 999)
			for (size_t i = 0; i < 1000; i++)
				free(table[i]);
	}
	return unused;
}

int main(void)
{
	pthread_barrier_init(&forgotten, NULL, 4);
	for (int i = 0; i < 3; i++)
		thread_start(worker, NULL);
	pthread_barrier_wait(&forgotten);
	pthread_barrier_wait(&forgotten);
	lose_list();
	wipe_stack();
	sleep_ms(6000);
	_exit(0);
}
