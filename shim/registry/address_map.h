/*
 * The block that begins at an address, found by the address itself: a top level of
 * 64 MiB regions, each with a lazily touched array of one 4-byte entry for every
 * 32 bytes. An allocator whose blocks lie at least that far apart (glibc's) needs
 * nothing else, and a block costs what its size costs: an eighth of it.
 *
 * Allocators with smaller blocks (jemalloc, tcmalloc, a program's own operator new)
 * put several into one window of 32 bytes: the first to come has the window's
 * entry, the others one by 8 bytes in a second array that is made at need. An entry
 * says which of the window's four places it is about.
 *
 * No lock, and in a process with glibc's allocator no atomic read-modify-write:
 *   - An entry is written by whoever owns the block at that address, between the real malloc and the
 *     real free; the allocator itself orders one owner after the other, and so do its entries.
 *   - Where windows are shared (address_map_shared), blocks of different owners meet in one entry. It
 *     is claimed with a compare-and-swap from empty, and emptied by its owner alone.
 *   - Arrays only ever come; readers that walk through them may miss a block or see one that goes.
 *
 * A block that is freed leaves its trace: the entry stays, marked, with the block's site in place of its number,
 * until another block comes to lie there. Whatever finds a trace finds no block; but who frees the same
 * address again can be told what was there.
 */
#ifndef WH_REGISTRY_ADDRESS_MAP_H
#define WH_REGISTRY_ADDRESS_MAP_H

#include "base/context.h"
#include "base/types.h"
#include "registry/thread.h"

#define REGION_SHIFT 26
#define REGION_BYTES ((uint64_t)1 << REGION_SHIFT)
#define WINDOW_SHIFT 5
#define REGION_WINDOWS (REGION_BYTES >> WINDOW_SHIFT)
#define REGION_PLACES (REGION_BYTES >> 3)
#define ADDRESS_BITS 47
#define TOP_ENTRIES ((size_t)1 << (ADDRESS_BITS - REGION_SHIFT))
#define PAGE_WINDOWS 1024u /* a page of the array */
#define REGION_PAGES (REGION_WINDOWS / PAGE_WINDOWS)

struct region {
	uint32_t *windows; /* number of the block << 2 | place in the window; 0: none; or a trace */
	uint32_t *
	    places; /* number of the block at each 8 bytes, for those that find their window taken; or a trace */
	bool touched[REGION_PAGES]; /* pages of `windows` that ever held an entry */
};

/* Blocks have numbers of 29 bits, and so have sites. */
#define ADDRESS_MAP_NUMBERS ((uint64_t)1 << 29)
#define ADDRESS_MAP_TRACE ((uint32_t)1 << 31)

extern HIDDEN struct region **address_map_top; /* NULL until address_map_ready has succeeded */
extern HIDDEN bool address_map_shared;         /* blocks may lie nearer to each other than 32 bytes */

/* Makes the top level. Return: false where there is no address space for it. Context: hook. */
bool address_map_ready(void);
/* In a fork child: no block is known any more, but what address_map_inherited answers. */
void address_map_fork_child(void);

static inline unsigned place_in_window(uint64_t address)
{
	return (unsigned)(address >> 3) & 3;
}

/*
 * Whether an entry, of a window that `address` lies in, is about just that address. glibc's blocks begin at multiples
 * of 16, so that what lies a few bytes behind one is none; of other allocators' that is not known.
 */
static inline bool entry_is_of(uint32_t entry, uint64_t address)
{
	return (uint64_t)(entry & 3) << 3 == (address & (address_map_shared ? 24u : 31u));
}

/* The same of a live block, where the allocator is glibc's. */
static inline bool entry_lives_at(uint32_t entry, uint64_t address)
{
	return (uint64_t)(entry & (ADDRESS_MAP_TRACE | 3)) << 3 == (address & 31u);
}

/* Where the top level is known to be there. */
static inline struct region *address_map_region_of(uint64_t address)
{
	uint64_t number = address >> REGION_SHIFT;
	if (UNLIKELY(number >= TOP_ENTRIES))
		return NULL;
	return __atomic_load_n(&address_map_top[number], __ATOMIC_ACQUIRE);
}

static inline struct region *address_map_region(uint64_t address)
{
	return LIKELY(address_map_top) ? address_map_region_of(address) : NULL;
}

static inline uint32_t *window_of(const struct region *region, uint64_t address)
{
	return &region->windows[(address & (REGION_BYTES - 1)) >> WINDOW_SHIFT];
}

static inline uint32_t address_map_entry(uint64_t address, uint32_t number)
{
	return number << 2 | place_in_window(address);
}

static inline uint32_t address_map_trace(uint64_t address, uint32_t site)
{
	return ADDRESS_MAP_TRACE | address_map_entry(address, site);
}

/* Whether an entry, of whichever array, is of a block that is live. */
static inline bool entry_lives(uint32_t entry)
{
	return (int32_t)entry > 0;
}

static inline bool *touched_of(struct region *region, uint64_t address)
{
	return &region->touched[(address & (REGION_BYTES - 1)) >> WINDOW_SHIFT >> 10];
}

_Static_assert(PAGE_WINDOWS == 1 << 10, "see touched_of");

/* -- the usual way, in two steps ---------------------------------------------- */

/*
 * Makes the region of `address` the one that the calling thread has at hand in self.region, which spares two loads that wait
 * for one another. Return: false: there is none. The top level is there. Context: hook, with self.busy, so that no
 * handler comes in between.
 */
static inline bool address_map_near(uint64_t address)
{
	uint64_t near = (address >> REGION_SHIFT) + 1;
	if (LIKELY(self.near == near))
		return true;
	struct region *region = address_map_region_of(address);
	if (UNLIKELY(!region))
		return false;
	self.near = near;
	self.region = region;
	self.windows = region->windows;
	return true;
}

static inline uint32_t *near_window(uint64_t address)
{
	return &self.windows[(address & (REGION_BYTES - 1)) >> WINDOW_SHIFT];
}

/* Where the entry of a new block at `address` goes; NULL where that takes more than claiming it. As address_map_near. */
static inline uint32_t *address_map_free_window(uint64_t address)
{
	if (UNLIKELY(!address_map_near(address)))
		return NULL;
	uint32_t *window = near_window(address);
	bool good = __atomic_load_n(touched_of(self.region, address), __ATOMIC_RELAXED) &&
		    !entry_lives(__atomic_load_n(window, __ATOMIC_RELAXED));
	return LIKELY(good) ? window : NULL;
}

/* Puts an entry there. Return: false: the owner of a near block was quicker. */
static inline bool address_map_claim(uint32_t *window, uint32_t entry)
{
	if (LIKELY(!address_map_shared)) {
		__atomic_store_n(window, entry, __ATOMIC_RELEASE);
		return true;
	}
	uint32_t there = __atomic_load_n(window, __ATOMIC_RELAXED);
	return !entry_lives(there) &&
	       __atomic_compare_exchange_n(window, &there, entry, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Where the entry of the block at `address` is; NULL: nothing is known of one, or it is elsewhere. */
static inline uint32_t *address_map_window(uint64_t address)
{
	struct region *region = address_map_region(address);
	if (UNLIKELY(!region))
		return NULL;
	uint32_t *window = window_of(region, address);
	uint32_t entry = __atomic_load_n(window, __ATOMIC_RELAXED);
	return LIKELY(entry_lives(entry) && entry_is_of(entry, address)) ? window : NULL;
}

/* -- every way ------------------------------------------------------------------ */

/*
 * The block at `address` has this number from now on. `ret_stale` gets the number that stood there, of
 * a block that went in a way nobody saw; 0: none; `number` itself: there is no room beside a near
 * neighbour. Return: false: there is no room at all. Context: hook.
 */
bool address_map_put(uint64_t address, uint32_t number, uint32_t *ret_stale);

/* The number of the block at `address`; 0: none is known. Context: signal. */
uint32_t address_map_find(uint64_t address);
/* Fetches what address_map_find looks at first into the cache. Context: signal. */
static inline void address_map_fetch(uint64_t address)
{
	const struct region *region = address_map_region(address);
	if (region)
		__builtin_prefetch(window_of(region, address));
}

/* That block, of `site`, is freed; its trace stays. Context: hook. */
void address_map_freed(uint64_t address, uint32_t site);
/* Whether the last that was known at `address` is a block that was freed, and of which site (0: unknown). Context: hook. */
bool address_map_was_freed(uint64_t address, uint32_t *ret_site);

enum address_was { ADDRESS_UNKNOWN, ADDRESS_LIVE, ADDRESS_FREED };

/*
 * In a fork child: what the parent knew of `address` when it forked, or what became of it since. Means nothing where the
 * child's own map knows the address. `frees`: what was live is being freed. Context: hook.
 */
enum address_was address_map_inherited(uint64_t address, bool frees);

/* Somebody has a block at `address` that will not be recorded: a trace there means nothing now. Context: hook. */
void address_map_unseen(uint64_t address);

/* The nearest live block that begins at or below `address`, within `most` bytes; 0: none. Context: hook. */
uint32_t address_map_below(uint64_t address, uint64_t most, uint64_t *ret_start);

/* Whether there ever was a block within 32 KiB of the address: spares a look at memory nobody touched. Context: signal. */
static inline bool address_map_touched(uint64_t address)
{
	struct region *region = address_map_region(address);
	return region && __atomic_load_n(touched_of(region, address), __ATOMIC_RELAXED);
}

/* Whether it is clear at a glance that nothing is known of a block at `address`. Context: signal. */
static inline bool address_map_lacks(uint64_t address)
{
	struct region *region = address_map_region(address);
	if (!region || !__atomic_load_n(touched_of(region, address), __ATOMIC_RELAXED))
		return true;
	uint32_t entry = __atomic_load_n(window_of(region, address), __ATOMIC_RELAXED);
	return (!entry_lives(entry) || !entry_is_of(entry, address)) &&
	       !__atomic_load_n(&region->places, __ATOMIC_RELAXED);
}

/* Each block by ascending address; false from `each` ends it. Context: reporter. */
void address_map_each(bool (*each)(uint64_t address, uint32_t number, void *data), void *data);

#endif
