/*
 * A session with three locks is taken down by the thread that holds them all: each is destroyed, which libc refuses, and then
 * their memory is freed. Each is told once, not again with the memory, nor when the next session lies where it lay.
 *
 * Hard because the refused ones are still held when their memory goes.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: destroyed-in-use
 * EXPECT: error destroyed-in-use: thread 1 "main" destroyed mutex
 * EXPECT-NOT: freed the memory of
 * EXPECT-JSON: [finding("destroyed-in-use")] | length == 3
 */
#include "lib/three_locks.h"

int main(void)
{
	for (int i = 0; i < 3; i++)
		three_locks_end(three_locks_new(), true);
	return 0;
}
