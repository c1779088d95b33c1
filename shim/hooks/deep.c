#include "hooks/deep.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/check_heap.h"
#include "hooks/hook.h"
#include "platform/elf_next.h"

static uint32_t any_opened; /* atomic */

struct way {
	const char *name;
	void *real, *hook;
};

/* The way at `index` into the allocator. Return: false: there are no more. */
static bool way_at(unsigned index, struct way *ret_way)
{
	const struct real_functions *below = check_heap_below();
#define WAY(function) \
	{ \
#function, (void *)below->function, (void *)function \
	}
	const struct way ways[] = {
		WAY(free),
		WAY(malloc),
		WAY(calloc),
		WAY(realloc),
		WAY(reallocarray),
		WAY(memalign),
		WAY(aligned_alloc),
		WAY(posix_memalign),
		WAY(valloc),
		WAY(pvalloc),
		WAY(malloc_usable_size),
	};
#undef WAY
	if (index < COUNT_OF(ways))
		*ret_way = ways[index];
	return index < COUNT_OF(ways);
}

static bool way_named(const char *name, struct way *ret_way)
{
	for (unsigned i = 0; way_at(i, ret_way); i++)
		if (strcmp(name, ret_way->name) == 0)
			return ret_way->real;
	return false;
}

void deep_opening(void)
{
	__atomic_store_n(&any_opened, 1, __ATOMIC_RELEASE);
}

bool deep_wants(const char *name)
{
	struct way way;
	return __atomic_load_n(&any_opened, __ATOMIC_ACQUIRE) && way_named(name, &way);
}

struct others {
	const struct elf_slot *slot;
	struct way way;
	bool any;
};

static bool other_one(struct elf_module *module, void *data)
{
	struct others *search = data;
	void *address;
	if (elf_definition(module->dynamic, module->bias, search->slot->name, search->slot->version,
			   &address))
		search->any |= address != search->way.hook && address != search->way.real;
	return !search->any;
}

void deep_bind(struct elf_module *module, const struct elf_slot *slot)
{
	uint64_t value = __atomic_load_n(slot->at, __ATOMIC_ACQUIRE);
	struct others search = { .slot = slot };
	if (!way_named(slot->name, &search.way))
		return;
	if (value != (uintptr_t)search.way.real) {
		/* Not bound yet: the loader would find ours or libc's, as long as nobody else has one. */
		if (!slot->called || value < module->start || value >= module->end)
			return;
		relocations_modules(other_one, &search);
		if (search.any)
			return;
	}
	relocations_store(module, slot, (uintptr_t)search.way.hook);
}

void *deep_instead(void *found)
{
	struct way way;
	for (unsigned i = 0; found && way_at(i, &way); i++)
		if (found == way.real)
			return way.hook;
	return found;
}
