/*
 * A library that is opened with RTLD_DEEPBIND, as PHP opens its extensions, finds libc's allocator before anybody
 * else's. It takes back what the program has allocated and the other way round: under check=heap blocks begin behind a header,
 * which libc's own free would not know. Bound at once, and at the first call.
 *
 * RUN: %prog now
 * RUN: whoholds run %prog now
 * RUN: whoholds run --set check=heap %prog now
 * RUN: whoholds run --set check=heap %prog lazy
 * KINDS: none
 * BUILD: -ldl
 * EXPECT-STDOUT: 1000 rounds
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "shared/giver.h"

#define FUNCTION(handle, name) ((__typeof__(&(name)))(uintptr_t)dlsym(handle, #name))

int main(int argc, char **argv)
{
	bool lazy = argc > 1 && strcmp(argv[1], "lazy") == 0;
	void *library = dlopen("libgiver.so", (lazy ? RTLD_LAZY : RTLD_NOW) | RTLD_DEEPBIND);
	CHECK(library);
	__typeof__(&giver_take) take = FUNCTION(library, giver_take);
	__typeof__(&giver_resize) resize = FUNCTION(library, giver_resize);
	__typeof__(&giver_give) give = FUNCTION(library, giver_give);
	CHECK(take && resize && give);
	int rounds = 0;
	for (; rounds < 1000; rounds++) {
		char *volatile block = malloc(100);
		memset(block, 1, 100);
		give(block);
		block = take(100);
		memset(block, 1, 100);
		free(block);
		block = resize(malloc(100), 200);
		block = realloc(resize(block, 3000), 100);
		CHECK(block);
		give(block);
	}
	printf("%d rounds\n", rounds);
	return 0;
}
