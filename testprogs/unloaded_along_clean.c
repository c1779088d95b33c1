/*
 * The twin: what was brought along stays, since somebody else has it open; or its lock was given back before.
 *
 * BUILD: -ldl
 * KINDS: none
 * EXPECT-STDOUT: unloaded
 */
#include <dlfcn.h>
#include <stdio.h>

#include "lib/check.h"

static void call(void *module, const char *name)
{
	void (*function)(void) = (void (*)(void))dlsym(module, name);
	CHECK(function);
	function();
}

static void *load(const char *name)
{
	void *module = dlopen(name, RTLD_NOW);
	CHECK(module);
	return module;
}

int main(void)
{
	void *carrier = load("libcarrier.so");
	call(carrier, "carrier_takes");
	call(carrier, "carrier_gives");
	CHECK_EQUAL(dlclose(carrier), 0);

	carrier = load("libcarrier.so");
	void *plugin = load("libplugin.so");
	call(carrier, "carrier_takes");
	CHECK_EQUAL(dlclose(carrier), 0);
	call(plugin, "plugin_gives");
	CHECK_EQUAL(dlclose(plugin), 0);
	puts("unloaded");
	return 0;
}
