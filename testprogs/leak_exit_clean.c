/*
 * leak_exit, put right: what is on the stack of a process that ends by _exit is still in use.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 * EXPECT-STATUS: 3
 */
#include <stdlib.h>
#include <unistd.h>

static __attribute__((noinline)) void use(char **blocks, int depth)
{
	char *volatile own = malloc(1000);
	own[0] = 'x';
	if (depth > 0)
		use(blocks, depth - 1);
	else if (own[0] == 'x')
		_exit(blocks[4][0] == 'x' ? 3 : 4);
	free(own);
}

int main(void)
{
	char *blocks[5];

	for (int i = 0; i < 5; i++) {
		blocks[i] = malloc(1000);
		blocks[i][0] = 'x';
	}
	use(blocks, 5);
	return 0;
}
