/*
 * A library's constructor makes a thread and waits for it, with the loader's lock held: what the thread calls for the first time in
 * the process must not need that lock. Bare it does not.
 * Guards: real operators, and what an exception needs to pass through a hook, that are looked up with dlsym at their first call: the
 * program hung.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -ldl -rdynamic
 * EXPECT-STDOUT: loaded
 */
#include <cstdio>
#include <dlfcn.h>
#include <new>

#include "lib/check.h"
#include "shared/starter.h"

/* Refused: the exception goes through the hook of the operator. */
void starter_calls(void)
{
	volatile std::size_t most = static_cast<std::size_t>(-1) / 2;
	try {
		::operator delete(::operator new(most));
		CHECK(false);
	} catch (const std::bad_alloc &) {
	}
}

int main()
{
	void *library = dlopen("libstarter.so", RTLD_NOW);
	CHECK(library);
	auto made = reinterpret_cast<decltype(&starter_blocks)>(dlsym(library, "starter_blocks"));
	CHECK(made);
	CHECK_EQUAL(made(), 2);
	puts("loaded");
}
