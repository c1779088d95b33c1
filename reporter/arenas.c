#include "reporter/arenas.h"

#include <stdatomic.h>
#include <sys/uio.h>

#include "platform/real.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "reporter/scan/maps.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/pages.h"

#define ARENA_BYTES ((uint64_t)64 << 20) /* of glibc: other arenas lie in heaps of this size and alignment */
#define HEAPS_MOST 512u                  /* pieces that are told apart; the rest is left out */

/* With less from the kernel nobody cares what it is used for. Chosen somewhat arbitrarily. */
#define TAKEN_LEAST ((uint64_t)32 << 20)

/* A piece of the address space that an arena is made of. */
struct heap {
	uint64_t start, end;
	uint64_t arena; /* address of its malloc_state; 0: the main one */
	uint64_t taken;
	uint64_t live, blocks;
};

static struct {
	nsec_t every; /* 0: off */
	nsec_t next;
	struct arenas_sum sum;
} watch;

void arenas_start(nsec_t every)
{
	watch.every = every;
	watch.next = 0;
	watch.sum = (struct arenas_sum){ 0 };
}

/* -- where they are ------------------------------------------------------------ */

struct measure {
	const struct view *view;
	struct heap *heaps;
	uint32_t count;
	/* A walk over the live blocks, which come in ascending order. */
	uint32_t at;
	uint64_t last_page;
	uint32_t *pinned; /* by site: pages of which its block is the first */
	uint32_t sites;
};

/* malloc/arena.c of glibc: what a heap begins with; the same since 2.3.4. */
struct heap_head {
	uint64_t arena, previous, size, protected_size;
};

static bool read_head(uint64_t at, struct heap_head *ret_head)
{
	struct iovec to = { ret_head, sizeof *ret_head }, from = { (void *)at, sizeof *ret_head };
	return sys_call6(SYS_process_vm_readv, sys_pid(), (long)&to, 1, (long)&from, 1, 0) ==
	       (long)sizeof *ret_head;
}

/* The arena's state lies in its first heap, right behind the head; other heaps lead there. */
static bool is_heap(uint64_t start, struct heap_head *ret_head)
{
	uint8_t there = 0;
	/* A page that nobody has touched begins no heap, and is not to be touched by us. */
	if (sys_call3(SYS_mincore, start, PAGE_BYTES, &there) != 0 || !(there & 1) ||
	    !read_head(start, ret_head))
		return false;
	uint64_t first = ret_head->arena & ~(ARENA_BYTES - 1);
	return ret_head->size >= 4096 && ret_head->size <= ARENA_BYTES && ret_head->size % 4096 == 0 &&
	       ret_head->protected_size >= ret_head->size && ret_head->protected_size <= ARENA_BYTES &&
	       ret_head->arena % 16 == 0 && ret_head->arena > first && ret_head->arena - first < 256 &&
	       (ret_head->previous == 0) == (first == start);
}

static void add_heap(struct measure *measure, const struct heap *heap)
{
	if (measure->count < HEAPS_MOST)
		measure->heaps[measure->count++] = *heap;
}

/* Of a mapping so large that it is something else, the rest is not looked at: a terabyte. */
#define PLACES_MOST 16384u

/* The kernel shows neighbours as one mapping: a heap begins where one of its size may, not only where a mapping does. */
static void find_heaps_in(struct measure *measure, const struct map *map)
{
	uint64_t start = (map->start + ARENA_BYTES - 1) & ~(ARENA_BYTES - 1);
	for (unsigned i = 0; i < PLACES_MOST && start < map->end; i++, start += ARENA_BYTES) {
		struct heap_head head = { 0 };
		if (!is_heap(start, &head))
			continue;
		add_heap(measure, &(struct heap){ .start = start,
						  .end = MIN_OF(map->end, start + head.size),
						  .arena = head.arena });
	}
}

static void find_heaps(struct measure *measure, const struct maps *maps)
{
	const uint32_t memory = MAP_READ | MAP_WRITE;
	for (uint64_t i = 0; i < maps->count; i++) {
		const struct map *map = &maps->at[i];
		if ((map->flags & (memory | MAP_BREAK)) == (memory | MAP_BREAK))
			add_heap(measure, &(struct heap){ .start = map->start, .end = map->end });
		else if (map->flags == memory)
			find_heaps_in(measure, map);
	}
}

/* Return: bytes in memory; 0 where that can't be known. */
static uint64_t count_taken(struct measure *measure)
{
	struct pages pages;
	uint64_t sum = 0;
	pages_open(&pages);
	for (uint32_t i = 0; i < measure->count && pages.fd >= 0; i++) {
		struct heap *heap = &measure->heaps[i];
		struct range run;
		for (uint64_t from = heap->start; pages_next_run(&pages, from, heap->end, PAGES_ANY, &run);
		     from = run.end)
			heap->taken += run.end - run.start;
		sum += heap->taken;
	}
	pages_close(&pages);
	return sum;
}

/* -- what is live in them ------------------------------------------------------ */

static bool count_live(const struct allocation *allocation, void *data)
{
	struct measure *measure = data;
	while (measure->at < measure->count && allocation->address >= measure->heaps[measure->at].end)
		measure->at++;
	if (measure->at == measure->count)
		return false;
	struct heap *heap = &measure->heaps[measure->at];
	if (allocation->address < heap->start)
		return true;
	/* A word in front of each block, multiples of 16, 32 at the least. */
	uint64_t chunk = MAX_OF((allocation->size + 8 + 15) & ~UINT64_C(15), (uint64_t)32);
	heap->live += chunk;
	heap->blocks++;
	uint64_t first = allocation->address / PAGE_BYTES;
	uint64_t last = (allocation->address + allocation->size) / PAGE_BYTES;
	if (first <= measure->last_page)
		first = measure->last_page + 1;
	if (last >= first && allocation->site < measure->sites)
		measure->pinned[allocation->site] += (uint32_t)MIN_OF(last - first + 1, (uint64_t)UINT32_MAX);
	measure->last_page = MAX_OF(measure->last_page, last);
	return true;
}

/* -- the record ---------------------------------------------------------------- */

static void note_pins(const struct measure *measure, struct rec_pin *pins)
{
	uint32_t count = 0;
	for (site_id site = 1; site < measure->sites; site++) {
		uint64_t bytes = measure->pinned[site] * PAGE_BYTES;
		if (!bytes || (count == REC_ARENA_PINS && bytes <= pins[count - 1].bytes))
			continue;
		if (count < REC_ARENA_PINS)
			count++;
		uint32_t at = count - 1;
		for (; at > 0 && pins[at - 1].bytes < bytes; at--)
			pins[at] = pins[at - 1];
		pins[at] = (struct rec_pin){ .bytes = bytes, .site = site };
	}
}

/* Heaps of one arena lie anywhere; the arenas come in the order of their first heap. */
static void note_arenas(const struct measure *measure)
{
	struct rec_table *table = &recording->tables[REC_ARENAS];
	if (!recording_reserve(REC_ARENAS, table->capacity))
		return;
	struct rec_arenas *noted = recording_table(REC_ARENAS);
	atomic_store_explicit(&noted->count, 0, memory_order_release);
	uint32_t count = 0;
	for (uint32_t i = 0; i < measure->count; i++) {
		const struct heap *heap = &measure->heaps[i];
		uint32_t at = 0;
		while (at < count && noted->at[at].arena != heap->arena)
			at++;
		if (at == REC_ARENAS_MOST)
			continue;
		if (at == count)
			noted->at[count++] = (struct rec_arena){ .arena = heap->arena };
		noted->at[at].taken += heap->taken;
		noted->at[at].live += heap->live;
		noted->at[at].blocks += heap->blocks;
	}
	for (uint32_t i = 0; i < REC_ARENA_PINS; i++)
		noted->pins[i] = (struct rec_pin){ 0 };
	note_pins(measure, noted->pins);
	atomic_store_explicit(&noted->count, count, memory_order_release);
	atomic_store_explicit(&table->used, sizeof *noted, memory_order_release);
}

/* -- a measurement ------------------------------------------------------------- */

static bool malloc_is_of_libc(const struct view *view)
{
	const struct rec_module *module;
	uint64_t address = (uint64_t)(uintptr_t)real.malloc;
	for (uint32_t i = 0; (module = view_module_at(view, i)); i++)
		if (module->flags & MODULE_LIBC && address >= module->start && address < module->end)
			return true;
	return false;
}

static struct arenas_sum measure_heaps(const struct view *view, const struct maps *maps)
{
	struct measure measure = { .view = view, .sites = view_sites(view) };
	struct arenas_sum sum = { 0 };
	measure.heaps = memory_array(HEAPS_MOST, sizeof *measure.heaps);
	measure.pinned = memory_array(measure.sites, sizeof *measure.pinned);
	if (measure.heaps && measure.pinned) {
		find_heaps(&measure, maps);
		uint64_t taken = count_taken(&measure);
		if (taken >= TAKEN_LEAST && !allocation_partial()) {
			sum.taken = taken;
			allocation_each(count_live, &measure);
			for (uint32_t i = 0; i < measure.count; i++)
				sum.live += measure.heaps[i].live;
			note_arenas(&measure);
		}
	}
	memory_free(measure.heaps, HEAPS_MOST, sizeof *measure.heaps);
	memory_free(measure.pinned, measure.sites, sizeof *measure.pinned);
	return sum;
}

struct arenas_sum arenas_tick(const struct view *view, nsec_t now)
{
	if (!watch.every || now < watch.next)
		return watch.sum;
	struct maps maps = { 0 };
	watch.sum = (struct arenas_sum){ 0 };
	if (malloc_is_of_libc(view) && maps_read(&maps) == 0)
		watch.sum = measure_heaps(view, &maps);
	maps_release(&maps);
	nsec_t took = sys_monotonic() - now;
	watch.next = now + MAX_OF(watch.every, took * 100);
	return watch.sum;
}
