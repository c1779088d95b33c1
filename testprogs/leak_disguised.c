/*
 * Of ten blocks whose addresses are kept xored and tagged, one is forgotten; the option says how the others are to be read.
 * Hard because: to who does not know that, all of them are lost.
 *
 * RUN: whoholds run --set "pointers=mask 0x0000ffffffffffff xor 0x00005a5a5a5a5a5a" %prog
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | select(.count == 1 and .bytes == 109) | has_function("allocated"; "keep")
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/lose.h"

#define COOKIE UINT64_C(0x00005a5a5a5a5a5a)
#define TAG UINT64_C(0x1234000000000000)

static uint64_t keys[10];

static __attribute__((noinline)) void keep(int number)
{
	char *block = malloc(100 + (size_t)number);
	block[0] = (char)number;
	keys[number] = ((uint64_t)(uintptr_t)block ^ COOKIE) | TAG;
}

int main(void)
{
	for (int i = 0; i < 10; i++)
		keep(i);
#ifndef CLEAN
	keys[9] = 0;
#endif
	wipe_stack();
	printf("%d\n", ((char *)(uintptr_t)((keys[0] & ~TAG) ^ COOKIE))[0]);
	return 0;
}
