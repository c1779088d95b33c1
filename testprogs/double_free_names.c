/*
 * glibc's functions have second names: a block that came by one of them, freed by free and again by a third name, is one block to all of
 * them.
 *
 * KINDS: double-free
 * EXPECT: memory from buffer_new was freed twice, the second time in close_input
 * EXPECT-STATUS: 134
 * EXPECT-JSON: finding("double-free") | has_frame("allocated"; "buffer_new"; {{line new}}) and has_frame("freed"; "close_output"; {{line first}}) and has_frame("freed-again"; "close_input"; {{line again}})
 * LEAVES: recordings
 */
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

static char *input, *output;

__attribute__((noinline)) static char *buffer_new(size_t size)
{
	return __libc_malloc(size); /* line: new */
}

__attribute__((noinline)) static void close_output(void)
{
	free(output); /* line: first */
	output = NULL;
}

__attribute__((noinline)) static void close_input(void)
{
	__libc_free(input); /* line: again */
	input = NULL;
}

int main(void)
{
	input = output = buffer_new(3000);
	memcpy(input, "shared", sizeof "shared");
	void *volatile others[8];
	for (int i = 0; i < 8; i++)
		others[i] = malloc(100);
	close_output();
	for (int i = 0; i < 8; i++)
		free(others[i]);
	close_input();
	return 0;
}
