/*
 * A module is unloaded, and with it one that it has brought: the lock that is held lies in the data of that other one.
 *
 * BUILD: -ldl
 * KINDS: destroyed-in-use
 * EXPECT: thread 1 "main" unloaded the module with mutex
 * EXPECT: while it held it itself
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "main"; {{line unloads}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "carrier_takes"; {{line shared/carrier.c takes}})
 * EXPECT-STDOUT: unloaded
 */
#include <dlfcn.h>
#include <stdio.h>

#include "lib/check.h"

int main(void)
{
	void *carrier = dlopen("libcarrier.so", RTLD_NOW);
	CHECK(carrier);
	void (*takes)(void) = (void (*)(void))dlsym(carrier, "carrier_takes");
	CHECK(takes);
	takes();
	CHECK_EQUAL(dlclose(carrier), 0); /* line: unloads */
	puts("unloaded");
	return 0;
}
