/*
 * Forked children, and children of theirs, free what they have from their parents, each its own copy; get the same
 * addresses back for other blocks, some of them inside of allocators' own calls (getline, realloc), and free those.
 *
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

#define BLOCKS 300
#define GENERATIONS 4

static char *blocks[BLOCKS];

static size_t size_of(int i)
{
	return 16 + (size_t)(i * 37 % 900);
}

static void fill(void)
{
	for (int i = 0; i < BLOCKS; i++)
		if (!blocks[i])
			memset(blocks[i] = malloc(size_of(i)), i, size_of(i));
}

static void empty(int from, int step)
{
	for (int i = from; i < BLOCKS; i += step) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

static void grow(void)
{
	for (int i = 0; i < BLOCKS; i += 5)
		blocks[i] = realloc(blocks[i], size_of(i) * (i % 2 ? 3 : 1));
}

static void read_lines(void)
{
	char *line = NULL, *text = NULL;
	size_t room = 0;
	FILE *stream = fmemopen("one\ntwo\n", 8, "r");
	while (getline(&line, &room, stream) > 0)
		;
	fclose(stream);
	free(line);
	CHECK(asprintf(&text, "%d %s", getpid(), "a text") > 0);
	free(text);
}

static void generation(int depth)
{
	empty(depth % 3, 3);
	fill();
	grow();
	read_lines();
	if (depth < GENERATIONS) {
		pid_t pid = fork();
		if (pid == 0) {
			generation(depth + 1);
			_exit(0);
		}
		int status;
		CHECK_EQUAL(waitpid(pid, &status, 0), pid);
		CHECK_EQUAL(status, 0);
	}
	grow();
	empty(0, 1);
	fill();
	empty(0, 1);
}

int main(void)
{
	fill();
	empty(1, 4); /* traces of the parent's, where children get new blocks */
	fill();
	empty(2, 7);
	generation(0);
	return 0;
}
