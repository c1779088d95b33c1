#include "hooks/cxx_runtime.h"

#include <string.h>

#include "base/context.h"
#include "platform/elf_next.h"
#include "platform/real.h"
#include "platform/relocations.h"
#include "registry/recording.h"
#include "registry/thread.h"

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

/* Return: whether the walk goes on. */
static bool look_at(const ElfW(Dyn) * dynamic, uint64_t bias, const char *path, struct search *search)
{
	bool asked = search->behind_us && (!search->is_late || is_runtime(path));
	search->behind_us |= dynamic == elf_own_dynamic();
	search->is_late |= dynamic == elf_last_at_start();
	if (!asked || !elf_definition(dynamic, bias, search->name, NULL, &search->found.address))
		return true;
	search->found.is_libstdcxx = strstr(path, "/libstdc++.so");
	return !search->found.address;
}

static bool look_in(struct elf_module *module, void *data)
{
	return look_at(module->dynamic, module->bias, module->name, data);
}

static void look(const struct elf_counts *counts, void *data)
{
	(void)counts;
	relocations_modules(look_in, data);
}

/*
 * A fork child may have that lock from a thread of its parent that was going through the list, and libc does not give it back. As
 * long as the child has one thread the list doesn't change, and what is in it was whole before it came there.
 */
static bool is_alone(void)
{
	return recording && recording->fork_parent && thread_live_count() <= 1;
}

static void look_alone(struct search *search)
{
	const struct link_map *map = elf_object_after(NULL);
	while (map && look_at(map->l_ld, map->l_addr, map->l_name ? map->l_name : "", search))
		map = elf_object_after(map);
}

struct cxx_function cxx_runtime_find(const char *name)
{
	struct search search = { .name = name };
	if (is_alone())
		look_alone(&search);
	else
		relocations_visit(look, &search);
	/* What the program has put into everybody's scope later, and what has no table that we can read. */
	if (!search.found.address)
		search.found.address = real_find(name, NULL);
	return search.found;
}
