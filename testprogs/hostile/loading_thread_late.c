/*
 * As loading_thread, in a program that is not of C++: the C++ runtime comes with the library, and is not in anybody's scope
 * but the library's own.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -ldl
 * EXPECT-STDOUT: loaded
 */
#include <dlfcn.h>
#include <stdio.h>

#include "lib/check.h"
#include "shared/starter.h"

int main(void)
{
	void *library = dlopen("libstarter.so", RTLD_NOW | RTLD_LOCAL);
	CHECK(library);
	__typeof__(&starter_blocks) made = (__typeof__(&starter_blocks))dlsym(library, "starter_blocks");
	CHECK(made);
	CHECK_EQUAL(made(), 2);
	puts("loaded");
}
