/*
 * A program that asks libc by its handle for free, and gives it what it has from malloc and from libc itself: under check=heap blocks
 * begin behind a header, which libc's own free would not know.
 *
 * RUN: whoholds run --set check=heap %prog
 * KINDS: none
 * EXPECT-STDOUT: 400 freed
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void free_function(void *block);
typedef void *realloc_function(void *block, size_t size);

int main(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	void *found = libc ? dlsym(libc, "free") : NULL,
	     *found_realloc = libc ? dlsym(libc, "realloc") : NULL;
	free_function *give_back;
	realloc_function *resize;
	int freed = 0;
	if (!found || !found_realloc) {
		puts("libc has another name here");
		return 77;
	}
	memcpy(&give_back, &found, sizeof give_back);
	memcpy(&resize, &found_realloc, sizeof resize);
	for (size_t i = 0; i < 200; i++) {
		char *volatile block = malloc(i + 1);
		memset(block, 1, i + 1);
		block = resize(block, i + 300);
		give_back(block);
		block = strdup("known to libc alone");
		give_back(block);
		freed += 2;
	}
	printf("%d freed\n", freed);
	return 0;
}
