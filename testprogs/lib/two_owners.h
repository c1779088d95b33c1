/* Two owners of one buffer, each of which gives it back, for double_free and double_free_names: TAKE, GIVE and GIVE_AGAIN say how. */
#ifndef TESTPROGS_TWO_OWNERS_H
#define TESTPROGS_TWO_OWNERS_H

#include <stdlib.h>
#include <string.h>

static char *input, *output;

__attribute__((noinline)) static char *buffer_new(size_t size)
{
	return TAKE(size); /* line: new */
}

__attribute__((noinline)) static void close_output(void)
{
	GIVE(output); /* line: first */
	output = NULL;
}

__attribute__((noinline)) static void close_input(void)
{
	GIVE_AGAIN(input); /* line: again */
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

#endif
