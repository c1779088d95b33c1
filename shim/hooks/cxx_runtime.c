#include "hooks/cxx_runtime.h"

#include <dlfcn.h>
#include <string.h>

#include "base/context.h"
#include "platform/elf_next.h"
#include "platform/real.h"
#include "platform/relocations.h"

/*
 * In the loader's list of modules, not by dlsym: that takes the lock which dlopen holds while constructors run, and one of these may
 * be waiting for the very thread that asks. The list has a lock of its own, held while it changes.
 */
struct search {
	const char *name;
	struct cxx_function found;
	bool behind_us,
	    is_late; /* where the walk is: behind our own module, behind what was there at the start */
};

/* A runtime that a library brought is in no scope but the library's own. */
static const char *const runtimes[] = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };

static bool is_runtime(const char *path)
{
	const char *slash = strrchr(path, '/');
	for (size_t i = 0; i < COUNT_OF(runtimes); i++)
		if (strcmp(slash ? slash + 1 : path, runtimes[i]) == 0)
			return true;
	return false;
}

static bool look_in(struct elf_module *module, void *data)
{
	struct search *search = data;
	bool asked = search->behind_us && (!search->is_late || is_runtime(module->name));
	search->behind_us |= module->dynamic == elf_own_dynamic();
	search->is_late |= module->dynamic == elf_last_at_start();
	if (!asked ||
	    !elf_definition(module->dynamic, module->bias, search->name, NULL, &search->found.address))
		return true;
	search->found.is_libstdcxx = strstr(module->name, "/libstdc++.so");
	return !search->found.address;
}

static void look(const struct elf_counts *counts, void *data)
{
	(void)counts;
	relocations_modules(look_in, data);
}

struct cxx_function cxx_runtime_find(const char *name)
{
	struct search search = { .name = name };
	relocations_visit(look, &search);
	/* What the program has put into everybody's scope later, and what has no table that we can read. */
	if (!search.found.address)
		search.found.address = real_find(name, NULL);
	return search.found;
}
