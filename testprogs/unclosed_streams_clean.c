/*
 * unclosed_streams, put right; and streams that stay open to the end but are not forgotten: in a structure, as
 * the program's standard input, on the stack of a thread that still runs.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/show.h"

struct reader {
	FILE *file;
	char *line;
};

static struct reader *volatile reader;
static pthread_barrier_t ready;

static void ask(void)
{
	char line[64];
	FILE *child = popen("echo well", "r");
	if (!child || !fgets(line, sizeof line, child))
		exit(1);
	pclose(child);
}

static void *write_on(void *unused)
{
	FILE *volatile file = fdopen(open("/dev/null", O_WRONLY), "w");
	DIR *volatile directory = opendir("/");
	pthread_barrier_wait(&ready);
	for (;;)
		sleep_ms(1000);
	(void)file;
	(void)directory;
	return unused;
}

static void open_all(void)
{
	reader = malloc(sizeof *reader);
	reader->line = malloc(100);
	reader->file = fopen("/proc/self/status", "r");
	stdin = fopen("/dev/null", "r");
	FILE *temporary = tmpfile();
	fclose(temporary);
	char *text;
	size_t bytes;
	FILE *memory = open_memstream(&text, &bytes);
	fprintf(memory, "text");
	fclose(memory);
	free(text);
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

int main(void)
{
	pthread_barrier_init(&ready, NULL, 2);
	ask();
	open_all();
	thread_start(write_on, NULL);
	pthread_barrier_wait(&ready);
	wipe_stack();
	return 0;
}
