/*
 * A process that ends by _exit loses as much as any other.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * TWIN: leak_three_clean
 * KINDS: leak
 * EXPECT-STATUS: 3
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line lost}})
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((noinline)) void lose(void)
{
	for (int i = 0; i < 5; i++)
		*(volatile char *)malloc(1000) = 'x'; /* line: lost */
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

int main(void)
{
	/* Kept on main's stack, which _exit leaves as it is. */
	void *volatile kept = malloc(2000);
	lose();
	wipe_stack();
	_exit(kept ? 3 : 4);
}
