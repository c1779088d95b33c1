#include "reporter/scan/mappings.h"

#include <errno.h>
#include <link.h>

#include "base/hash.h"
#include "base/sort.h"
#include "options.h"
#include "registry/foreign_heap.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/pools.h"
#include "reporter/scan/roots.h"

uint64_t mappings_count(const struct snapshot *snapshot)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		count += snapshot->resources[i].kind == KIND_MAPPING;
	return count;
}

/* -- which can be judged ----------------------------------------------------- */

/* Whether all of it is mapped still, some of it can be read, and none of it is what nobody keeps pointers to. */
static bool is_plain(const struct maps *maps, uint64_t start, uint64_t end)
{
	bool readable = false;
	while (start < end) {
		const struct map *map = maps_find(maps, start);
		if (!map || map->flags & (MAP_EXECUTE | MAP_OF_KERNEL | MAP_BREAK | MAP_MAIN_STACK))
			return false;
		readable |= map->flags & MAP_READ;
		start = map->end;
	}
	return readable;
}

static bool is_judged(const struct image *image, const struct rec_hold *hold)
{
	struct range piece;
	uint64_t start = hold->handle, end = hold->handle + hold->bytes;
	return !(hold->flags & (HOLD_PLACED | HOLD_AGAIN)) && is_plain(&image->maps, start, end) &&
	       !ranges_next(&image->heap, start, end, &piece);
}

/* What holds a block of a pool is known by that, and what an allocator has mapped for itself is its own. */
static void keep(uint64_t start, uint64_t end, void *data)
{
	(void)end;
	extents_reach(data, start);
}

/* Where one piece is not judged, what it leads to may be the others; all of them are roots then, and no extents. */
static void leave_roots(const struct image *image, struct extents *extents)
{
	uint64_t count = 0;
	for (uint64_t i = 0; i < extents->count; i++)
		if (!is_judged(image, &image->snapshot->resources[extents->at[i].resource]))
			extents_reach(extents, extents->at[i].start);
	for (uint64_t i = 0; i < extents->count; i++)
		if (extents->at[i].state == EXTENT_UNKNOWN)
			extents->at[count++] = extents->at[i];
	extents->count = count;
	extents_sort(extents);
}

/* What the loader knows of each module begins with its link_map, and has in it where the module ends. */
#define MODULE_BYTES ((uint64_t)1024)

/* Where a module ends another mapping mostly begins. */
static void ignore_loaders(const struct image *image, struct ranges *ignored)
{
	ranges_add(ignored, image->loader.start, image->loader.end);
	for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next)
		ranges_add(ignored, (uintptr_t)module, (uintptr_t)module + MODULE_BYTES);
	ranges_sort(ignored);
}

int mappings_choose(const struct image *image, struct extents *extents)
{
	const struct snapshot *snapshot = image->snapshot;
	*extents = (struct extents){ .mask = options.pointer_mask, .exclusive = options.pointer_xor };
	extents->room = image->threads_known ? mappings_count(snapshot) : 0;
	if (!extents->room)
		return 0;
	extents->at = memory_array(extents->room, sizeof *extents->at);
	if (!extents->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->resource_count && extents->count < extents->room; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		uint64_t end = hold->handle + hold->bytes;
		const bool by_end = hold->flags & HOLD_BY_END || !maps_find(&image->maps, end);
		if (hold->kind == KIND_MAPPING && hold->bytes)
			extents->at[extents->count++] = (struct extent){
				.start = hold->handle,
				.end = end,
				.last = by_end ? end : end - 1,
				.whole = (uint64_t)hold->owner << 32 | hold->serial,
				.resource = i,
			};
	}
	extents_sort(extents);
	pools_each_outside(image, keep, extents);
	foreign_heap_each(keep, extents);
	leave_roots(image, extents);
	ignore_loaders(image, &extents->ignored);
	return extents->ignored.failed ? -ENOMEM : 0;
}

void mappings_free(struct extents *extents)
{
	memory_free(extents->at, extents->room, sizeof *extents->at);
	ranges_release(&extents->ignored);
	*extents = (struct extents){ 0 };
}

/* -- any other trace --------------------------------------------------------- */

#define ADDRESS_MASK ((UINT64_C(1) << 48) - 1)
#define PAGE_SHIFT 12u

static void found_number(struct extents *extents, const uint64_t *place, uint64_t number)
{
	if (!ranges_hold(&extents->ignored, (uintptr_t)place))
		extents_reach(extents, number);
}

static inline void seek_number(struct extents *extents, const uint64_t *place, uint64_t number)
{
	if (UNLIKELY(number - extents->low < extents->span))
		found_number(extents, place, number);
	if (UNLIKELY(number - (extents->low >> PAGE_SHIFT) <= extents->span >> PAGE_SHIFT))
		found_number(extents, place, number << PAGE_SHIFT);
}

static void seek_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	struct extents *extents = mark->seek_data;
	bool low = extents->low <= UINT32_MAX;
	(void)of;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t word = words[i], next = i + 1 < count ? words[i + 1] : 0;
		if (!word && !next)
			continue;
		seek_number(extents, &words[i], word & ADDRESS_MASK);
		if (UNLIKELY(low))
			seek_number(extents, &words[i], word & UINT32_MAX);
		for (unsigned shift = 8; shift < 64; shift += 8) {
			uint64_t shifted = word >> shift | next << (64 - shift);
			seek_number(extents, &words[i], shifted & ADDRESS_MASK);
			if (UNLIKELY(low))
				seek_number(extents, &words[i], shifted & UINT32_MAX);
		}
	}
}

static bool any_unknown(const struct extents *extents)
{
	for (uint64_t i = 0; i < extents->count; i++)
		if (extents->at[i].state == EXTENT_UNKNOWN)
			return true;
	return false;
}

static bool was_lost(const struct lost_mappings *before, const struct rec_hold *hold)
{
	uint64_t low = 0, high = before->count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (before->at[middle].hold.handle < hold->handle)
			low = middle + 1;
		else
			high = middle;
	}
	const struct rec_hold *was = &before->at[low].hold;
	return low < before->count && was->handle == hold->handle && was->bytes == hold->bytes &&
	       was->owner == hold->owner && was->serial == hold->serial;
}

void mappings_settle(struct lost_mappings *lost, struct image *image, struct mark *mark,
		     const struct lost_mappings *before)
{
	struct extents *extents = mark->extents;
	/* What is found leads to more, which may lead to others. */
	for (bool again = true; again && !mark->expired && any_unknown(extents);) {
		if (!roots_seek(image, mark, seek_words, mark->extents, 0))
			return;
		again = extents->to_read;
		mark_run(mark);
	}
	lost->count = 0;
	for (uint64_t i = 0; i < extents->count && !mark->expired; i++) {
		struct extent *extent = &extents->at[i];
		const struct rec_hold *hold = &image->snapshot->resources[extent->resource];
		if (extent->state == EXTENT_UNKNOWN && lost->count < lost->room &&
		    (!before || was_lost(before, hold)))
			lost->at[lost->count++] = (struct lost_mapping){ .hold = *hold };
	}
	mark->count_bytes = true;
	for (uint64_t i = 0; i < lost->count; i++) {
		uint64_t reached = mark->reached_bytes;
		extents_reach(extents, lost->at[i].hold.handle);
		mark_run(mark);
		lost->at[i].dragged = mark->reached_bytes - reached;
	}
	mark->count_bytes = false;
	if (mark->expired)
		lost->count = 0;
}

/* -- findings ---------------------------------------------------------------- */

#define FINDINGS_MOST 1000u

static bool by_stack(const void *a, const void *b, void *data)
{
	(void)data;
	const struct lost_mapping *left = *(const struct lost_mapping *const *)a;
	const struct lost_mapping *right = *(const struct lost_mapping *const *)b;
	if (left->hold.stack != right->hold.stack)
		return left->hold.stack < right->hold.stack;
	return left->hold.since < right->hold.since;
}

/* Those of one place, the oldest first. */
static void report_place(const struct lost_mapping *const *lost, uint64_t count,
			 const struct snapshot *snapshot, enum finding_kind kind, uint32_t flags,
			 struct finding_list *list)
{
	struct finding *finding = finding_begin(list, kind, snapshot, 1);
	struct finding_item *item = finding ? finding_add(finding, ROLE_allocated, 1) : NULL;
	if (!item)
		return;
	const struct rec_hold *oldest = &lost[0]->hold;
	finding->key = finding->witness = hash_add(hash_add(kind, KIND_MAPPING), oldest->stack);
	finding->flags = flags;
	finding->thread = oldest->owner;
	finding->count = count;
	for (uint64_t i = 0; i < count; i++) {
		finding->amount += lost[i]->hold.bytes;
		finding->indirect += lost[i]->dragged;
		if (lost[i]->hold.owner != oldest->owner)
			finding->thread = 0;
	}
	finding_item_hold(item, oldest);
	/* One address says nothing of the others. */
	item->handle = count == 1 ? oldest->handle : 0;
	item->count = (uint32_t)MIN_OF(count, (uint64_t)UINT32_MAX);
	item->amount = finding->amount;
	item->flags = ITEM_SUBJECT;
	const struct snap_thread *thread =
	    finding->thread ? snapshot_thread(snapshot, finding->thread) : NULL;
	if (thread)
		finding_item_thread(item, thread);
	else
		item->thread = finding->thread;
}

void mappings_report(const struct lost_mappings *lost, const struct snapshot *snapshot,
		     enum finding_kind kind, uint32_t flags, uint64_t unread, struct finding_list *list)
{
	const struct lost_mapping **sorted = arena_array(list->arena, lost->count + 1, sizeof(*sorted));
	if (!sorted) {
		list->incomplete = true;
		return;
	}
	for (uint64_t i = 0; i < lost->count; i++)
		sorted[i] = &lost->at[i];
	sort_items(sorted, lost->count, sizeof(*sorted), by_stack, NULL);
	uint64_t told = 0;
	for (uint64_t first = 0, next; first < lost->count && told < FINDINGS_MOST; first = next) {
		for (next = first + 1; next < lost->count; next++)
			if (sorted[next]->hold.stack != sorted[first]->hold.stack)
				break;
		if (next - first <= unread)
			continue;
		report_place(&sorted[first], next - first, snapshot, kind, flags, list);
		told++;
	}
}
