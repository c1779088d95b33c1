#include "registry/address_map.h"

#include "platform/lock.h"
#include "platform/sys.h"

struct region **address_map_top;
bool address_map_shared;

static struct lock growing;
static uint32_t regions[4096]; /* numbers of those in use, ascending */
static uint32_t region_count;
static bool refused; /* there is no address space for the top level */

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
	uint32_t entry = address_map_entry(address, number), there = 0;
	if (__atomic_compare_exchange_n(window, &there, entry, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		return true;
	if ((there & 3) == place_in_window(address)) {
		__atomic_store_n(window, entry, __ATOMIC_RELEASE);
		*ret_stale = there >> 2;
		return true;
	}
	uint32_t *places = places_make(region);
	*ret_stale =
	    places ? __atomic_exchange_n(place_of(places, address), number, __ATOMIC_ACQ_REL) : number;
	return true;
}

uint32_t address_map_find(uint64_t address, bool remove)
{
	struct region *region = address_map_region(address);
	if (!region)
		return 0;
	uint32_t *window = address_map_window(address);
	if (window) {
		uint32_t number = *window >> 2;
		if (remove)
			__atomic_store_n(window, 0, __ATOMIC_RELEASE);
		return number;
	}
	uint32_t *places = __atomic_load_n(&region->places, __ATOMIC_ACQUIRE);
	if (!places)
		return 0;
	uint32_t *place = place_of(places, address);
	uint32_t number = __atomic_load_n(place, __ATOMIC_RELAXED);
	if (number && remove)
		__atomic_store_n(place, 0, __ATOMIC_RELEASE);
	return number;
}

static bool each_in_page(const struct region *region, uint64_t base, uint64_t page,
			 bool (*each)(uint64_t address, uint32_t number, void *data), void *data)
{
	const uint32_t *places = __atomic_load_n(&region->places, __ATOMIC_ACQUIRE);
	for (uint64_t i = page * PAGE_WINDOWS; i < (page + 1) * PAGE_WINDOWS; i++) {
		uint32_t entry = __atomic_load_n(&region->windows[i], __ATOMIC_ACQUIRE);
		if (LIKELY(!places)) {
			if (entry && !each(base + (i << WINDOW_SHIFT) + (entry & 3) * 8, entry >> 2, data))
				return false;
			continue;
		}
		for (unsigned place = 0; place < 4; place++) {
			uint32_t number = entry && (entry & 3) == place
					      ? entry >> 2
					      : __atomic_load_n(&places[i * 4 + place], __ATOMIC_ACQUIRE);
			if (number && !each(base + (i << WINDOW_SHIFT) + place * 8, number, data))
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

void address_map_fork_child(void)
{
	growing.word = 0;
	for (uint32_t r = 0; r < region_count; r++) {
		struct region *region = address_map_top[regions[r]];
		sys_pages_free(region->windows, REGION_WINDOWS * sizeof *region->windows);
		if (region->places)
			sys_pages_free(region->places, REGION_PLACES * sizeof *region->places);
		sys_pages_free(region, sizeof *region);
	}
	if (address_map_top)
		sys_pages_free(address_map_top, TOP_ENTRIES * sizeof *address_map_top);
	address_map_top = NULL;
	region_count = 0;
}
