/*
 * The twin: the module stays, since somebody else has it open, or it is to stay for good; its lock was given back before it went,
 * or by its destructor as it does.
 *
 * BUILD: -ldl
 * KINDS: none
 * EXPECT-STDOUT: unloaded
 */
#include <dlfcn.h>
#include <stdio.h>

#include "lib/check.h"

static void *load(int flags)
{
	void *plugin = dlopen("libplugin.so", RTLD_NOW | flags);
	CHECK(plugin);
	return plugin;
}

static void call(void *plugin, const char *name)
{
	void (*function)(void) = (void (*)(void))dlsym(plugin, name);
	CHECK(function);
	function();
}

int main(void)
{
	void *plugin = load(0);
	call(plugin, "plugin_takes");
	call(plugin, "plugin_gives");
	CHECK_EQUAL(dlclose(plugin), 0);

	plugin = load(0);
	void *other = load(0);
	call(plugin, "plugin_takes");
	CHECK_EQUAL(dlclose(plugin), 0);
	call(other, "plugin_gives");
	CHECK_EQUAL(dlclose(other), 0);

	plugin = load(0);
	call(plugin, "plugin_tidies");
	call(plugin, "plugin_takes");
	CHECK_EQUAL(dlclose(plugin), 0);

	plugin = load(RTLD_NODELETE);
	call(plugin, "plugin_takes");
	CHECK_EQUAL(dlclose(plugin), 0);
	plugin = load(0);
	call(plugin, "plugin_gives");
	puts("unloaded");
	return 0;
}
