/*
 * jemalloc's own functions hand out and take back the same blocks as malloc and free, and nobody stands before them: what is unknown
 * of such blocks is no misuse.
 *
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog
 * NEEDS: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
 * KINDS: none
 * EXPECT-STDOUT: jemalloc: addresses came back
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 1000

int main(void)
{
	void *(*mallocx)(size_t, int) = (void *(*)(size_t, int))dlsym(RTLD_DEFAULT, "mallocx");
	void (*dallocx)(void *, int) = (void (*)(void *, int))dlsym(RTLD_DEFAULT, "dallocx");
	if (!mallocx || !dallocx)
		return 1;
	int again = 0;
	for (int i = 0; i < ROUNDS; i++) {
		void *volatile first = malloc(100);
		free(first);
		void *volatile second = mallocx(100, 0);
		again += first == second;
		free(second);
		void *volatile third = malloc(64);
		dallocx(third, 0);
		void *volatile fourth = malloc(64);
		again += third == fourth;
		free(fourth);
	}
	puts(again >= ROUNDS / 2 ? "jemalloc: addresses came back" : "jemalloc: other addresses");
	return 0;
}
