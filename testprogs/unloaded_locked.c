/*
 * A module is unloaded with a lock in its data that is held: its memory is gone, and what is loaded there next is something else.
 *
 * BUILD: -ldl
 * KINDS: destroyed-in-use
 * EXPECT: thread 1 "main" unloaded the module with mutex
 * EXPECT: while it held it itself
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "main"; {{line unloads}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "plugin_takes"; {{line shared/plugin.c takes}})
 * EXPECT-STDOUT: unloaded
 */
#include <dlfcn.h>
#include <stdio.h>

#include "lib/check.h"

int main(void)
{
	void *plugin = dlopen("libplugin.so", RTLD_NOW);
	CHECK(plugin);
	void (*takes)(void) = (void (*)(void))dlsym(plugin, "plugin_takes");
	CHECK(takes);
	takes();
	CHECK_EQUAL(dlclose(plugin), 0); /* line: unloads */
	puts("unloaded");
	return 0;
}
