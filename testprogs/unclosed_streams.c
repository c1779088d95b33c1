/*
 * Streams and directories forgotten in other ways: a pipe to a child, one made from a descriptor, one in a structure that was
 * lost with it, one of an ended thread. libc keeps a list of all of them, which says nothing.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: iterator-leak leak
 * EXPECT-JSON: [finding("iterator-leak")] | length == 4
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 2) | has_frame("opened"; "ask"; {{line pipe}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 3) | has_frame("opened"; "wrap"; {{line descriptor}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 1) | has_frame("opened"; "lose_reader"; {{line member}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 1) | has_frame("opened"; "list"; {{line thread}})
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 24 and .count == 1 and .indirect_bytes == 100) | has_frame("allocated"; "lose_reader"; {{line reader}})
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/show.h"

struct reader {
	FILE *file;
	char *line;
	long number;
};

static FILE *volatile kept;
static struct reader *volatile seen; /* else the compiler leaves the structure out */

static __attribute__((noinline)) void ask(void)
{
	char line[64];
	FILE *child = popen("echo well", "r"); /* line: pipe */
	if (!child || !fgets(line, sizeof line, child))
		exit(1);
}

static __attribute__((noinline)) void wrap(void)
{
	FILE *file = fdopen(open("/dev/null", O_WRONLY), "w"); /* line: descriptor */
	fprintf(file, "gone");
	fflush(file);
}

static __attribute__((noinline)) void lose_reader(void)
{
	struct reader *reader = malloc(sizeof *reader); /* line: reader */
	seen = reader;
	reader->line = malloc(100);
	reader->file = fopen("/proc/self/status", "r"); /* line: member */
	if (!fgets(reader->line, 100, reader->file))
		exit(1);
	seen = NULL;
}

static void *list(void *unused)
{
	DIR *directory = opendir("/"); /* line: thread */
	readdir(directory);
	return unused;
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

int main(void)
{
	/* From one place each: the compiler would write a loop of a known length out. */
	volatile int times = 2;
	for (int i = 0; i < times; i++)
		ask();
	times = 3;
	for (int i = 0; i < times; i++)
		wrap();
	lose_reader();
	pthread_join(thread_start(list, NULL), NULL);
	kept = fopen("/dev/null", "w");
	wipe_stack();
	return 0;
}
