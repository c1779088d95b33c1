#include "platform/elf_next.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/context.h"

/* What a look-up needs of one object, out of its dynamic section. */
struct object {
	const uint32_t *hash;
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint16_t *versions;
	const ElfW(Verdef) * definitions;
	uint64_t definition_count;
	uintptr_t bias;
};

/* libc relocates these pointers in place, save in objects whose dynamic section is read-only. */
static const void *at(uintptr_t bias, uintptr_t pointer)
{
	return (const void *)(pointer < bias ? pointer + bias : pointer);
}

static bool read_dynamic(const ElfW(Dyn) * dynamic, uintptr_t bias, struct object *object)
{
	*object = (struct object){ .bias = bias };
	for (const ElfW(Dyn) *entry = dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		switch (entry->d_tag) {
		case DT_GNU_HASH:
			object->hash = at(bias, entry->d_un.d_ptr);
			break;
		case DT_SYMTAB:
			object->symbols = at(bias, entry->d_un.d_ptr);
			break;
		case DT_STRTAB:
			object->strings = at(bias, entry->d_un.d_ptr);
			break;
		case DT_VERSYM:
			object->versions = at(bias, entry->d_un.d_ptr);
			break;
		case DT_VERDEF:
			object->definitions = at(bias, entry->d_un.d_ptr);
			break;
		case DT_VERDEFNUM:
			object->definition_count = entry->d_un.d_val;
			break;
		default:
			break;
		}
	}
	return object->hash && object->symbols && object->strings;
}

static bool read_object(const struct link_map *map, struct object *object)
{
	return read_dynamic(map->l_ld, map->l_addr, object);
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;
	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

#define VERSION_HIDDEN 0x8000u

/* Whether symbol `index` has that version, or where `version` is NULL is the one that a new program links to. */
static bool version_fits(const struct object *object, uint32_t index, const char *version)
{
	if (!object->versions)
		return true;
	uint16_t number = object->versions[index];
	/* One without a version is taken for any, as the loader does: those of a library that was preloaded have none. */
	if (!version || number == VER_NDX_GLOBAL)
		return !(number & VERSION_HIDDEN);
	const ElfW(Verdef) *definition = object->definitions;
	for (uint64_t i = 0; definition && i < object->definition_count; i++) {
		const ElfW(Verdaux) *name = (const void *)((const char *)definition + definition->vd_aux);
		if (definition->vd_ndx == (number & ~VERSION_HIDDEN))
			return strcmp(object->strings + name->vda_name, version) == 0;
		definition = (const void *)((const char *)definition + definition->vd_next);
	}
	return false;
}

static void *value_of(const struct object *object, const ElfW(Sym) * symbol)
{
	void *value = (void *)(object->bias + symbol->st_value);
	if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
		value = ((void *(*)(void))value)();
	return value;
}

/*
 * The first definition of `name` that `fits`; NULL: there is none. Pure: nothing of the object is called.
 */
typedef bool symbol_fits(const struct object *object, uint32_t index, const void *data);

static const ElfW(Sym) * find_symbol(const struct object *object, const char *name, uint32_t hash,
				     symbol_fits *fits, const void *data)
{
	uint32_t bucket_count = object->hash[0], first = object->hash[1], words = object->hash[2],
		 shift = object->hash[3];
	const uint64_t *bloom = (const uint64_t *)&object->hash[4];
	const uint32_t *buckets = (const uint32_t *)&bloom[words];
	const uint32_t *chain = &buckets[bucket_count];
	uint64_t word = bloom[hash / 64 % words];
	if (!bucket_count || !(word >> (hash % 64) & 1) || !(word >> ((hash >> shift) % 64) & 1))
		return NULL;
	for (uint32_t i = buckets[hash % bucket_count]; i >= first && i; i++) {
		uint32_t found = chain[i - first];
		const ElfW(Sym) *symbol = &object->symbols[i];
		if ((found | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
		    strcmp(object->strings + symbol->st_name, name) == 0 && fits(object, i, data))
			return symbol;
		if (found & 1)
			break;
	}
	return NULL;
}

static bool fits_version(const struct object *object, uint32_t index, const void *version)
{
	return version_fits(object, index, version);
}

static void *find_in(const struct object *object, const char *name, uint32_t hash, const char *version)
{
	const ElfW(Sym) *symbol = find_symbol(object, name, hash, fits_version, version);
	return symbol ? value_of(object, symbol) : NULL;
}

/*
 * What was read of the first objects of the chain, which some hundred look-ups go through at the start: once. The rest is
 * read anew each time. A chain is for one thread and one moment: unloading an object leaves it dangling.
 */
#define CHAIN_OBJECTS 16u
static struct chain {
	const struct link_map *after; /* the first object of which is not in it */
	unsigned count;
	struct object objects[CHAIN_OBJECTS];
} next_objects;

static void chain_read(struct chain *chain, const struct link_map *map)
{
	chain->count = 0;
	for (; map && chain->count < CHAIN_OBJECTS; map = map->l_next)
		if (read_object(map, &chain->objects[chain->count]))
			chain->count++;
	chain->after = map;
}

static void *find_from(const struct link_map *map, const char *name, uint32_t hash, const char *version)
{
	for (; map; map = map->l_next) {
		struct object object;
		void *found = read_object(map, &object) ? find_in(&object, name, hash, version) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

static const struct link_map *own_map(void)
{
	const struct link_map *map = _r_debug.r_map;
	while (map && map->l_ld != _DYNAMIC)
		map = map->l_next;
	return map;
}

static const ElfW(Dyn) * last_at_start;

void elf_next_begin(void)
{
	const struct link_map *own = own_map();
	chain_read(&next_objects, own ? own->l_next : NULL);
	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next)
		last_at_start = map->l_ld;
}

void *elf_next(const char *name, const char *version)
{
	uint32_t hash = gnu_hash(name);
	for (unsigned i = 0; i < next_objects.count; i++) {
		void *found = find_in(&next_objects.objects[i], name, hash, version);
		if (found)
			return found;
	}
	return find_from(next_objects.after, name, hash, version);
}

void *elf_any(const char *name)
{
	return find_from(_r_debug.r_map, name, gnu_hash(name), NULL);
}

static bool is_at(const struct object *object, uint32_t index, const void *address)
{
	const ElfW(Sym) *symbol = &object->symbols[index];
	return (const void *)(object->bias + symbol->st_value) == address ||
	       ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC;
}

bool elf_defines_at(const ElfW(Dyn) * dynamic, uintptr_t bias, const char *name, const void *address)
{
	struct object object;
	return read_dynamic(dynamic, bias, &object) &&
	       find_symbol(&object, name, gnu_hash(name), is_at, address);
}

bool elf_definition(const ElfW(Dyn) * dynamic, uintptr_t bias, const char *name, const char *version,
		    void **ret_address)
{
	struct object object;
	if (!read_dynamic(dynamic, bias, &object))
		return false;
	const ElfW(Sym) *symbol = find_symbol(&object, name, gnu_hash(name), fits_version, version);
	if (!symbol)
		return false;
	bool chosen_at_run_time = ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC;
	*ret_address = chosen_at_run_time ? NULL : (void *)(bias + symbol->st_value);
	return true;
}

const ElfW(Dyn) * elf_own_dynamic(void)
{
	return _DYNAMIC;
}

const ElfW(Dyn) * elf_last_at_start(void)
{
	return last_at_start;
}

const struct link_map *elf_object_after(const struct link_map *map)
{
	return map ? map->l_next : _r_debug.r_map;
}

bool elf_is_before(const char *name)
{
	uint32_t hash = gnu_hash(name);
	for (const struct link_map *map = _r_debug.r_map; map && map->l_ld != _DYNAMIC; map = map->l_next) {
		struct object object;
		if (read_object(map, &object) && find_in(&object, name, hash, NULL))
			return true;
	}
	return false;
}

const char *elf_own_path(void)
{
	const struct link_map *own = own_map();
	return own && own->l_name ? own->l_name : "";
}
