#include "registry/view.h"

#include <stdatomic.h>
#include <string.h>

#include "base/context.h"

uint64_t view_end(const struct view *view)
{
	uint64_t start = (uintptr_t)view->header, end = start;
	for (unsigned i = 0; i < REC_TABLES; i++)
		end = MAX_OF(end, start + view->header->tables[i].offset + view->header->tables[i].capacity);
	return end;
}

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

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_acquire);
}

struct site_counts view_site_counts(const struct view *view, site_id site)
{
	const struct rec_site *at = view_site(view, site);
	struct site_counts counts = { 0 };
	uint64_t made = 0, made_blocks = 0, freed = 0, freed_blocks = 0, ahead = 0;
	if (!at)
		return counts;
	/* Cells first: what is moved meanwhile is then missed or seen once. */
	uint64_t blocks = view_used(view, REC_CELLS) / sizeof(struct rec_cells);
	for (uint64_t i = 0; i < blocks; i++) {
		const struct rec_cells *block = entry_at(view, REC_CELLS, i, sizeof *block);
		const struct rec_cell *cell = block ? &block->cells[site % REC_CELLS_EACH] : NULL;
		if (!cell || atomic_load_explicit(&cell->site, memory_order_acquire) != site)
			continue;
		uint64_t cell_made = load(&cell->made), cell_freed = load(&cell->freed);
		made += amount_bytes(cell_made);
		made_blocks += amount_blocks(cell_made);
		freed += amount_bytes(cell_freed);
		freed_blocks += amount_blocks(cell_freed);
		ahead += load(&cell->peak);
	}
	counts.total_bytes = load(&at->total_bytes) + made;
	counts.total_blocks = load(&at->total_blocks) + made_blocks;
	/* A block may be counted as freed before it is seen as made: a little below zero is zero. */
	int64_t known = (int64_t)load(&at->live_bytes), live = known + (int64_t)(made - freed);
	int64_t live_blocks = (int64_t)(load(&at->live_blocks) + made_blocks - freed_blocks);
	counts.live_bytes = live > 0 ? (uint64_t)live : 0;
	counts.live_blocks = live_blocks > 0 ? (uint64_t)live_blocks : 0;
	uint64_t peak = load(&at->peak_bytes);
	if (known + (int64_t)ahead > (int64_t)peak)
		peak = (uint64_t)(known + (int64_t)ahead);
	counts.peak_bytes = peak > counts.live_bytes ? peak : counts.live_bytes;
	return counts;
}

const struct rec_lineage *view_lineage(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_LINEAGE, index, sizeof(struct rec_lineage));
}

const struct rec_edge *view_edge(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_EDGES, index, sizeof(struct rec_edge));
}

const struct rec_lock *view_lock(const struct view *view, uint32_t lock)
{
	return lock ? entry_at(view, REC_LOCKS, lock - 1, sizeof(struct rec_lock)) : NULL;
}

const struct rec_misuse *view_misuse(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_MISUSES, index, sizeof(struct rec_misuse));
}

const struct rec_growth *view_growth(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_GROWTH, index, sizeof(struct rec_growth));
}

const struct rec_arenas *view_arenas(const struct view *view)
{
	return entry_at(view, REC_ARENAS, 0, sizeof(struct rec_arenas));
}

uint32_t view_uses(const struct view *view)
{
	return view->tables[REC_USES] ? (uint32_t)(view_used(view, REC_USES) / sizeof(struct rec_use)) : 0;
}

const struct rec_use *view_use(const struct view *view, uint32_t use)
{
	const struct rec_use *found = use ? entry_at(view, REC_USES, use - 1, sizeof *found) : NULL;
	return found && __atomic_load_n(&found->op, __ATOMIC_ACQUIRE) != OP_none ? found : NULL;
}

void view_uses_in_cells(const struct view *view, uint64_t *ret_taken, uint32_t last)
{
	const struct rec_use_cells *cells;
	for (uint64_t i = 0; (cells = entry_at(view, REC_USE_CELLS, i, sizeof *cells)); i++)
		for (uint32_t at = 0; at < REC_USE_CELLS_EACH; at++) {
			uint32_t use = atomic_load_explicit(&cells->cells[at].use, memory_order_acquire);
			if (use && use <= last)
				ret_taken[use] += load(&cells->cells[at].taken);
		}
}

const struct rec_why *view_why(const struct view *view)
{
	return entry_at(view, REC_WHY, 0, sizeof(struct rec_why));
}

const struct rec_iteration *view_iteration(const struct view *view, uint32_t index)
{
	return entry_at(view, REC_ITERATIONS, index, sizeof(struct rec_iteration));
}

const struct rec_span *view_span(const struct view *view, uint32_t place)
{
	return entry_at(view, REC_SPANS, place, sizeof(struct rec_span));
}

nsec_t view_iteration_percentile(const struct rec_iteration *iteration, unsigned percent)
{
	uint64_t count = 0, below = 0;
	for (unsigned i = 0; i < REC_DURATIONS; i++)
		count += atomic_load_explicit(&iteration->durations[i], memory_order_relaxed);
	uint64_t wanted = (count * percent + 99) / 100;
	nsec_t longest = load(&iteration->longest);
	for (unsigned i = 0; i < REC_DURATIONS && wanted; i++) {
		below += atomic_load_explicit(&iteration->durations[i], memory_order_relaxed);
		if (below >= wanted && i + 1 < REC_DURATIONS)
			return MIN_OF(rec_duration_from(i + 1), longest);
	}
	return wanted ? longest : 0;
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

const struct rec_place *view_place(const struct view *view, uint32_t place)
{
	return place ? entry_at(view, REC_PLACES, place - 1, sizeof(struct rec_place)) : NULL;
}

uint32_t view_place_find(const struct view *view, uint64_t address, nsec_t since)
{
	for (uint64_t i = view_used(view, REC_PLACES) / sizeof(struct rec_place); i > 0; i--) {
		const struct rec_place *place = view_place(view, (uint32_t)i);
		if (place && place->address == address)
			return atomic_load_explicit(&place->seen, memory_order_relaxed) > since ? (uint32_t)i
												: 0;
	}
	return 0;
}

bool view_signal(const struct view *view, unsigned kind, uint64_t handle, struct rec_signal *ret_signal)
{
	bool found = false;
	for (uint32_t i = 0; i < REC_SIGNALS_NEAR && handle; i++) {
		const struct rec_signal *entry = entry_at(
		    view, REC_SIGNALS, (rec_signal_place(handle) + i) % REC_SIGNALS_MOST, sizeof(*entry));
		uint32_t changes = entry ? atomic_load_explicit(&entry->changes, memory_order_acquire) : 1;
		if (changes % 2 || entry->object != rec_signal_object(kind, handle) ||
		    (found && entry->at <= ret_signal->at))
			continue;
		struct rec_signal copy;
		memcpy(&copy, entry, sizeof(copy));
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&entry->changes, memory_order_relaxed) != changes)
			continue;
		*ret_signal = copy;
		found = true;
	}
	return found;
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
