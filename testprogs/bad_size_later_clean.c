/*
 * Looks how much there is to be had, does its work, and fails for another reason.
 *
 * RUN: whoholds run %prog
 * EXPECT-STATUS: 3
 * KINDS: none
 */
#include <stdint.h>
#include <stdlib.h>

int main(void)
{
	volatile size_t most = SIZE_MAX;
	void *volatile block;
	while (!(block = malloc(most)))
		most /= 2;
	free(block);
	for (int i = 0; i < 10000; i++) {
		block = malloc(100);
		free(block);
	}
	return 3;
}
