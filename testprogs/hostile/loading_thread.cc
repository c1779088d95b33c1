/*
 * A library's constructor makes a thread and waits for it, with the loader's lock held: what the thread calls for the first time in
 * the process must not need that lock. Bare it does not.
 * Guards: real operators that are looked up with dlsym at their first call, which hung the program.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -ldl
 * EXPECT-STDOUT: loaded
 */
#include <cstdio>
#include <dlfcn.h>

#include "lib/check.h"
#include "shared/starter.h"

int main()
{
	void *library = dlopen("libstarter.so", RTLD_NOW);
	CHECK(library);
	auto made = reinterpret_cast<decltype(&starter_blocks)>(dlsym(library, "starter_blocks"));
	CHECK(made);
	CHECK_EQUAL(made(), 2);
	puts("loaded");
}
