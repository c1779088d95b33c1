#include "registry/view.h"

#include <stdatomic.h>
#include <string.h>

uint64_t view_used(const struct view *view, enum rec_table_id table)
{
	const struct rec_table *entry = &view->header->tables[table];
	uint64_t used = atomic_load_explicit(&entry->used, memory_order_acquire);
	return used < entry->capacity ? used : entry->capacity;
}

static const void *entry_at(const struct view *view, enum rec_table_id table, uint64_t index, size_t size)
{
	if (!view->tables[table] || index >= view_used(view, table) / size)
		return NULL;
	return (const char *)view->tables[table] + index * size;
}

uint32_t view_thread_slots(const struct view *view)
{
	return (uint32_t)(view_used(view, REC_THREADS) / REC_SLOT_BYTES);
}

const struct rec_thread *view_thread(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_THREADS, index, REC_SLOT_BYTES);
}

const struct rec_hold *view_resource(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_RESOURCES, index, sizeof(struct rec_hold));
}

const struct rec_object *view_object(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_OBJECTS, index, sizeof(struct rec_object));
}

uint32_t view_sites(const struct view *view)
{
	return (uint32_t)(view_used(view, REC_SITES) / sizeof(struct rec_site));
}

const struct rec_site *view_site(const struct view *view, site_id site)
{
	return site ? entry_at(view, REC_SITES, site, sizeof(struct rec_site)) : NULL;
}

const struct rec_stack *view_stack(const struct view *view, stack_id stack)
{
	uint64_t at = (uint64_t)stack * 8;
	uint64_t used = view_used(view, REC_STACKS);
	if (!stack || !view->tables[REC_STACKS] || at + sizeof(struct rec_stack) > used)
		return NULL;
	const struct rec_stack *found = (const void *)((const char *)view->tables[REC_STACKS] + at);
	if (found->count > (used - at - sizeof(struct rec_stack)) / 8)
		return NULL;
	return found;
}

uint32_t view_modules(const struct view *view)
{
	return (uint32_t)(view_used(view, REC_MODULES) / sizeof(struct rec_module));
}

const struct rec_module *view_module_at(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_MODULES, index, sizeof(struct rec_module));
}

const struct rec_module *view_module(const struct view *view, uint64_t address, uint32_t epoch)
{
	uint32_t count = view_modules(view);
	for (uint32_t i = 0; i < count; i++) {
		const struct rec_module *module = view_module_at(view, i);
		if (address < module->start || address >= module->end)
			continue;
		uint32_t unloaded = atomic_load_explicit(&module->unloaded, memory_order_relaxed);
		if (atomic_load_explicit(&module->loaded, memory_order_relaxed) <= epoch &&
		    (!unloaded || epoch < unloaded))
			return module;
	}
	return NULL;
}

const char *view_text(const struct view *view, text_id text)
{
	uint64_t used = view_used(view, REC_STRINGS);
	const char *strings = view->tables[REC_STRINGS];
	if (!strings || text >= used || !memchr(strings + text, '\0', used - text))
		return "";
	return strings + text;
}

const char *view_program(const struct view *view)
{
	const text_id names[] = { view->header->argv_bytes ? view->header->argv : 0, view->header->exe };
	for (unsigned i = 0; i < 2; i++) {
		const char *name = view_text(view, names[i]), *slash = strrchr(name, '/');
		name = slash ? slash + 1 : name;
		/* Login shells are told so by a dash. */
		if (*name == '-')
			name++;
		if (*name)
			return name;
	}
	return "?";
}

const struct rec_object *view_object_find(const struct view *view, uint64_t address, unsigned kind)
{
	const struct rec_object *object;
	for (uint32_t i = 0; (object = view_object(view, i)); i++)
		if (object->state && object->address == address &&
		    (kind == KIND_NONE || object->kind == kind))
			return object;
	return NULL;
}
