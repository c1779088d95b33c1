#include "registry/address_map.h"

#include <string.h>

#include "platform/lock.h"
#include "platform/sys.h"

struct region **address_map_top;
bool address_map_shared;

static struct lock growing;
static uint32_t regions[4096]; /* numbers of those in use, ascending */
static uint32_t region_count;
static bool refused; /* there is no address space for the top level */

/* What a forked child has of its parent's map: no numbers, only what is live and what was freed. */
static struct {
	struct region **top; /* NULL: nothing */
	uint32_t regions[4096], region_count;
} inherited;

bool address_map_ready(void)
{
	if (LIKELY(__atomic_load_n(&address_map_top, __ATOMIC_ACQUIRE)))
		return true;
	if (__atomic_load_n(&refused, __ATOMIC_RELAXED) || !lock_take(&growing))
		return false;
	if (!address_map_top) {
		struct region **made = sys_pages_lazy(TOP_ENTRIES * sizeof *made);
		__atomic_store_n(&refused, !made, __ATOMIC_RELAXED);
		__atomic_store_n(&address_map_top, made, __ATOMIC_RELEASE);
	}
	lock_release(&growing);
	return address_map_top;
}

/* The region of an address, made where there is none; NULL: there is no room for it. */
static struct region *region_make(uint64_t address)
{
	uint64_t number = address >> REGION_SHIFT;
	struct region *region = NULL;
	if (number >= TOP_ENTRIES || !address_map_ready() || !lock_take(&growing))
		return NULL;
	region = address_map_top[number];
	if (!region && region_count < COUNT_OF(regions)) {
		region = sys_pages(sizeof *region);
		uint32_t *windows = region ? sys_pages_lazy(REGION_WINDOWS * sizeof *windows) : NULL;
		if (windows) {
			region->windows = windows;
			uint32_t at = region_count;
			for (; at && regions[at - 1] > number; at--)
				regions[at] = regions[at - 1];
			regions[at] = (uint32_t)number;
			__atomic_store_n(&region_count, region_count + 1, __ATOMIC_RELEASE);
			__atomic_store_n(&address_map_top[number], region, __ATOMIC_RELEASE);
		} else if (region) {
			sys_pages_free(region, sizeof *region);
			region = NULL;
		}
	}
	lock_release(&growing);
	return region;
}

static uint32_t *places_make(struct region *region)
{
	uint32_t *places = __atomic_load_n(&region->places, __ATOMIC_ACQUIRE);
	if (!places && lock_take(&growing)) {
		places = region->places;
		if (!places) {
			places = sys_pages_lazy(REGION_PLACES * sizeof *places);
			__atomic_store_n(&region->places, places, __ATOMIC_RELEASE);
		}
		lock_release(&growing);
	}
	return places;
}

/* Where no block can begin there is none. */
static bool could_begin_at(uint64_t address)
{
	return address_map_shared || address % 8 == 0;
}

static uint32_t *place_of(uint32_t *places, uint64_t address)
{
	return &places[(address & (REGION_BYTES - 1)) >> 3];
}

bool address_map_put(uint64_t address, uint32_t number, uint32_t *ret_stale)
{
	*ret_stale = 0;
	struct region *region = address_map_region(address);
	if (!region && !(region = region_make(address)))
		return false;
	__atomic_store_n(touched_of(region, address), true, __ATOMIC_RELAXED);
	uint32_t *window = window_of(region, address);
	uint32_t entry = address_map_entry(address, number),
		 there = __atomic_load_n(window, __ATOMIC_RELAXED);
	while (!entry_lives(there))
		if (__atomic_compare_exchange_n(window, &there, entry, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return true;
	if ((there & 3) == place_in_window(address)) {
		__atomic_store_n(window, entry, __ATOMIC_RELEASE);
		*ret_stale = there >> 2;
		return true;
	}
	uint32_t *places = places_make(region);
	*ret_stale =
	    places ? __atomic_exchange_n(place_of(places, address), number, __ATOMIC_ACQ_REL) : number;
	if (!entry_lives(*ret_stale))
		*ret_stale = 0;
	return true;
}

/* Where the second array has something about `address`; NULL: there is no such array. */
static uint32_t *place_at(uint64_t address)
{
	struct region *region = address_map_region(address);
	uint32_t *places = region ? __atomic_load_n(&region->places, __ATOMIC_ACQUIRE) : NULL;
	return places && could_begin_at(address) ? place_of(places, address) : NULL;
}

uint32_t address_map_find(uint64_t address)
{
	const uint32_t *window = address_map_window(address);
	if (window)
		return __atomic_load_n(window, __ATOMIC_RELAXED) >> 2;
	const uint32_t *place = place_at(address);
	uint32_t number = place ? __atomic_load_n(place, __ATOMIC_RELAXED) : 0;
	return entry_lives(number) ? number : 0;
}

void address_map_freed(uint64_t address, uint32_t site)
{
	uint32_t *window = address_map_window(address);
	uint32_t *place = window ? NULL : place_at(address);
	if (window)
		__atomic_store_n(window, address_map_trace(address, site), __ATOMIC_RELEASE);
	else if (place)
		__atomic_store_n(place, ADDRESS_MAP_TRACE | site, __ATOMIC_RELEASE);
}

bool address_map_was_freed(uint64_t address, uint32_t *ret_site)
{
	struct region *region = address_map_region(address);
	if (!region || !__atomic_load_n(touched_of(region, address), __ATOMIC_RELAXED))
		return false;
	uint32_t entry = __atomic_load_n(window_of(region, address), __ATOMIC_RELAXED);
	if (entry & ADDRESS_MAP_TRACE && entry_is_of(entry, address)) {
		*ret_site = (entry & ~ADDRESS_MAP_TRACE) >> 2;
		return true;
	}
	const uint32_t *place = place_at(address);
	entry = place ? __atomic_load_n(place, __ATOMIC_RELAXED) : 0;
	*ret_site = entry & ~ADDRESS_MAP_TRACE;
	return entry & ADDRESS_MAP_TRACE;
}

/* Where the parent's map has something about `address`; NULL: it has nothing. */
static uint32_t *inherited_at(uint64_t address)
{
	uint64_t number = address >> REGION_SHIFT;
	struct region *region = inherited.top && number < TOP_ENTRIES ? inherited.top[number] : NULL;
	if (!region || !__atomic_load_n(touched_of(region, address), __ATOMIC_RELAXED))
		return NULL;
	uint32_t *window = window_of(region, address);
	if (*window && entry_is_of(*window, address))
		return window;
	uint32_t *place =
	    region->places && could_begin_at(address) ? place_of(region->places, address) : NULL;
	return place && *place ? place : NULL;
}

enum address_was address_map_inherited(uint64_t address, bool frees)
{
	uint32_t *entry = inherited_at(address);
	if (!entry)
		return ADDRESS_UNKNOWN;
	if (*entry & ADDRESS_MAP_TRACE)
		return ADDRESS_FREED;
	if (frees)
		__atomic_fetch_or(entry, ADDRESS_MAP_TRACE, __ATOMIC_RELAXED);
	return ADDRESS_LIVE;
}

void address_map_unseen(uint64_t address)
{
	uint32_t *entry = inherited_at(address);
	if (UNLIKELY(entry))
		__atomic_store_n(entry, 0, __ATOMIC_RELAXED);
	uint32_t site;
	if (!address_map_was_freed(address, &site))
		return;
	/* Whoever calls owns the address; a neighbour may have put its own entry in place of the trace meanwhile. */
	uint32_t trace = address_map_trace(address, site);
	__atomic_compare_exchange_n(window_of(address_map_region(address), address), &trace, 0, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	uint32_t *place = place_at(address);
	if (place)
		__atomic_store_n(place, 0, __ATOMIC_RELAXED);
}

/* The last live block of a window that begins at or below `address`; 0: none. */
static uint32_t last_in_window(struct region *region, uint64_t window, uint64_t address, uint64_t *ret_start)
{
	uint32_t entry = __atomic_load_n(&region->windows[window], __ATOMIC_ACQUIRE);
	const uint32_t *places = __atomic_load_n(&region->places, __ATOMIC_ACQUIRE);
	uint64_t base = (address & ~(REGION_BYTES - 1)) + (window << WINDOW_SHIFT);
	for (unsigned place = 4; place-- > 0;) {
		uint32_t number = places ? __atomic_load_n(&places[window * 4 + place], __ATOMIC_ACQUIRE) : 0;
		if (entry_lives(entry) && (entry & 3) == place)
			number = entry >> 2;
		*ret_start = base + place * 8;
		if (entry_lives(number) && *ret_start <= address)
			return number;
	}
	return 0;
}

uint32_t address_map_below(uint64_t address, uint64_t most, uint64_t *ret_start)
{
	uint64_t floor = address - MIN_OF(address, most);
	for (uint64_t at = address;;) {
		struct region *region = address_map_region(at);
		uint64_t region_start = at & ~(REGION_BYTES - 1),
			 window = (at - region_start) >> WINDOW_SHIFT;
		while (region) {
			uint64_t page = window / PAGE_WINDOWS;
			uint32_t number = 0;
			if (!__atomic_load_n(&region->touched[page], __ATOMIC_RELAXED))
				window = page * PAGE_WINDOWS;
			else
				number = last_in_window(region, window, at, ret_start);
			if (number)
				return number;
			if (!window-- || region_start + (window << WINDOW_SHIFT) < floor)
				break;
		}
		if (region_start <= floor)
			return 0;
		at = region_start - 1;
	}
}

static bool each_in_page(const struct region *region, uint64_t base, uint64_t page,
			 bool (*each)(uint64_t address, uint32_t number, void *data), void *data)
{
	const uint32_t *places = __atomic_load_n(&region->places, __ATOMIC_ACQUIRE);
	for (uint64_t i = page * PAGE_WINDOWS; i < (page + 1) * PAGE_WINDOWS; i++) {
		uint32_t entry = __atomic_load_n(&region->windows[i], __ATOMIC_ACQUIRE);
		if (LIKELY(!places)) {
			if (entry_lives(entry) &&
			    !each(base + (i << WINDOW_SHIFT) + (entry & 3) * 8, entry >> 2, data))
				return false;
			continue;
		}
		for (unsigned place = 0; place < 4; place++) {
			uint32_t number = entry_lives(entry) && (entry & 3) == place
					      ? entry >> 2
					      : __atomic_load_n(&places[i * 4 + place], __ATOMIC_ACQUIRE);
			if (entry_lives(number) &&
			    !each(base + (i << WINDOW_SHIFT) + place * 8, number, data))
				return false;
		}
	}
	return true;
}

void address_map_each(bool (*each)(uint64_t address, uint32_t number, void *data), void *data)
{
	uint32_t count = __atomic_load_n(&region_count, __ATOMIC_ACQUIRE);
	for (uint32_t r = 0; r < count; r++) {
		const struct region *region = address_map_top[regions[r]];
		uint64_t base = (uint64_t)regions[r] << REGION_SHIFT;
		for (uint64_t page = 0; page < REGION_PAGES; page++) {
			if (__atomic_load_n(&region->touched[page], __ATOMIC_RELAXED) &&
			    !each_in_page(region, base, page, each, data))
				return;
		}
	}
}

static void release(struct region **top, const uint32_t *numbers, uint32_t count)
{
	for (uint32_t r = 0; top && r < count; r++) {
		struct region *region = top[numbers[r]];
		sys_pages_free(region->windows, REGION_WINDOWS * sizeof *region->windows);
		if (region->places)
			sys_pages_free(region->places, REGION_PLACES * sizeof *region->places);
		sys_pages_free(region, sizeof *region);
	}
	if (top)
		sys_pages_free(top, TOP_ENTRIES * sizeof *top);
}

/*
 * What a child keeps of its parent's map the parent copies when it writes there, page by page. So large ones are
 * not kept; chosen somewhat arbitrarily, it is the map of 64 MiB of heap.
 */
#define INHERITED_PAGES_MOST 2048u

static bool is_small(void)
{
	uint32_t pages = 0;
	for (uint32_t r = 0; r < region_count && pages <= INHERITED_PAGES_MOST; r++)
		for (uint32_t page = 0; page < REGION_PAGES; page++)
			pages += address_map_top[regions[r]]->touched[page];
	return pages <= INHERITED_PAGES_MOST;
}

void address_map_fork_child(void)
{
	growing.word = 0;
	release(inherited.top, inherited.regions, inherited.region_count);
	inherited.top = NULL;
	if (address_map_top && is_small()) {
		inherited.top = address_map_top;
		inherited.region_count = region_count;
		memcpy(inherited.regions, regions, region_count * sizeof *regions);
	} else {
		release(address_map_top, regions, region_count);
	}
	address_map_top = NULL;
	region_count = 0;
	self.near = 0;
}
