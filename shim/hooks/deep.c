#include "hooks/deep.h"

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/allocx.h"
#include "hooks/check_heap.h"
#include "hooks/hook.h"
#include "platform/elf_next.h"

static uint32_t any_opened; /* atomic */

/* A way into the allocator. */
struct way {
	const char *name;
	void *hook;
	size_t real; /* where the allocator's own stands in struct real_functions */
};

#define WAY(function) \
	{ \
#function, (void *)function, offsetof(struct real_functions, function) \
	}
static const struct way ways[] = {
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

static void *real_of(const struct way *way)
{
	void *function;
	memcpy(&function, (const char *)check_heap_below() + way->real, sizeof function);
	return function;
}

/* Return: NULL: the allocator has none of that name. */
static const struct way *way_named(const char *name)
{
	for (unsigned i = 0; i < COUNT_OF(ways); i++)
		if (strcmp(name, ways[i].name) == 0)
			return real_of(&ways[i]) ? &ways[i] : NULL;
	return NULL;
}

void deep_opening(void)
{
	__atomic_store_n(&any_opened, 1, __ATOMIC_RELEASE);
}

bool deep_wants(const char *name)
{
	struct allocx_way own;
	return (__atomic_load_n(&any_opened, __ATOMIC_ACQUIRE) && way_named(name)) ||
	       allocx_named(name, &own);
}

struct others {
	const struct elf_slot *slot;
	const void *hook, *real;
	bool any;
};

static bool other_one(struct elf_module *module, void *data)
{
	struct others *search = data;
	void *address;
	if (elf_definition(module->dynamic, module->bias, search->slot->name, search->slot->version,
			   &address))
		search->any |= address != search->hook && address != search->real;
	return !search->any;
}

void deep_bind(struct elf_module *module, const struct elf_slot *slot)
{
	uint64_t value = __atomic_load_n(slot->at, __ATOMIC_ACQUIRE);
	const struct way *way = way_named(slot->name);
	struct allocx_way own;
	struct others search = { .slot = slot };
	if (way) {
		search.hook = way->hook;
		search.real = real_of(way);
	} else if (allocx_named(slot->name, &own)) {
		search.hook = own.hook;
		search.real = own.real;
	} else {
		return;
	}
	if (value != (uintptr_t)search.real) {
		/* Not bound yet: the loader would find ours or libc's, as long as nobody else has one. */
		if (!slot->called || value < module->start || value >= module->end)
			return;
		relocations_modules(other_one, &search);
		if (search.any)
			return;
	}
	relocations_store(module, slot, (uintptr_t)search.hook);
}

void *deep_instead(void *found)
{
	for (unsigned i = 0; found && i < COUNT_OF(ways); i++)
		if (found == real_of(&ways[i]))
			return ways[i].hook;
	return allocx_instead(found);
}
