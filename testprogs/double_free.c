/*
 * Two owners give the same buffer back. Between the two the allocator has other work, so that it is not the last
 * block that it got; and the process dies of it, so that nothing can be judged at its end.
 *
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * KINDS: double-free
 * EXPECT: memory from buffer_new was freed twice, the second time in close_input
 * EXPECT-STATUS: 134
 * EXPECT-JSON: finding("double-free") | has_frame("allocated"; "buffer_new"; {{line new}}) and has_frame("freed"; "close_output"; {{line first}}) and has_frame("freed-again"; "close_input"; {{line again}})
 * LEAVES: recordings
 */
#include <stdlib.h>
#include <string.h>

static char *input, *output;

__attribute__((noinline)) static char *buffer_new(size_t size)
{
	return malloc(size); /* line: new */
}

__attribute__((noinline)) static void close_output(void)
{
	free(output); /* line: first */
	output = NULL;
}

__attribute__((noinline)) static void close_input(void)
{
	free(input); /* line: again */
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
