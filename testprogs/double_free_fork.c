/*
 * A forked child gives back what its parent had given back before, and another one twice what it has from its parent.
 * Nothing there was allocated in the child itself.
 *
 * RUN: whoholds run %prog
 * KINDS: double-free
 * EXPECT: memory was freed twice, the second time in clean_up
 * EXPECT-JSON: [finding("double-free")] | length == 2
 * EXPECT-JSON: finding("double-free") | has_frame("freed"; "first"; {{line first}}) and has_frame("freed-again"; "second"; {{line second}})
 * LEAVES: recordings
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *cache, *buffer;

__attribute__((noinline)) static void clean_up(void)
{
	free(cache);
	cache = NULL;
}

__attribute__((noinline)) static void first(void)
{
	free(buffer); /* line: first */
	buffer = NULL;
}

__attribute__((noinline)) static void second(char *kept)
{
	free(kept); /* line: second */
	_exit(0);
}

static void child_frees_again(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		clean_up();
		_exit(0);
	}
	waitpid(pid, NULL, 0); /* libc may have ended it */
}

static void child_frees_twice(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		char *volatile kept = buffer;
		first();
		second(kept);
	}
	waitpid(pid, NULL, 0);
}

int main(void)
{
	cache = malloc(3000);
	buffer = malloc(3000);
	memset(cache, 'c', 3000);
	memset(buffer, 'b', 3000);
	free(cache);
	child_frees_again();
	child_frees_twice();
	free(buffer);
	return 0;
}
