/*
 * Blocks used to their last byte, by every function that makes one, also as much as malloc_usable_size allows; grown,
 * shrunk, and more of them freed than are kept back.
 *
 * RUN: whoholds run --set check=heap %prog
 * KINDS: none
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;

static char *fill(char *block, size_t alignment)
{
	if (!block || (uintptr_t)block % alignment)
		bad = 1;
	else
		memset(block, 0x5a, malloc_usable_size(block));
	return block;
}

int main(void)
{
	void *aligned = NULL;
	for (size_t size = 0; size < 3000; size += 7) {
		char *zero =
		    calloc(size, 1); /* NOLINT(clang-analyzer-optin.portability.UnixAPI): of nothing, too */
		for (size_t i = 0; i < size; i++)
			bad |= zero[i] != 0;
		free(fill(zero, 16));
		free(fill(malloc(size), 16));
		free(fill(aligned_alloc(256, size), 256));
		free(fill(valloc(size), 4096));
		if (posix_memalign(&aligned, 1024, size) != 0)
			return 1;
		free(fill(aligned, 1024));
		bad |= posix_memalign(&aligned, 24, size) == 0;
	}
	char *grows = NULL;
	for (size_t size = 1; size < 3000000; size = size * 3 / 2 + 1) {
		grows = realloc(grows, size);
		memset(grows, (int)size, size);
	}
	grows = realloc(grows, 100);
	bad |= realloc(grows, 0) != NULL;
	for (int i = 0; i < 200; i++)
		free(fill(malloc(500000), 16));
	char *inherited = fill(malloc(77), 16);
	int status = 1;
	pid_t child = fork();
	if (child == 0) {
		free(inherited);
		for (int i = 0; i < 1000; i++)
			free(fill(malloc((size_t)i), 16));
		_exit(bad);
	}
	waitpid(child, &status, 0);
	free(inherited);
	return bad | status;
}
