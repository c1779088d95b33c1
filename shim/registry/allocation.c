/*
 * See allocation.h for the shape. What makes it safe without a lock:
 *
 *   - The entry of an address is written by whoever owns the block at that
 *     address, between the real malloc and the real free; the allocator itself
 *     orders one owner after the other.
 *   - A program that frees a block twice at the same time from two threads is
 *     wrong anyway; the entry is taken with an atomic exchange, so that one of the
 *     two finds the record and the other finds nothing.
 *   - Region arrays and the slab only ever grow. A reader (allocation_each) may see
 *     an entry whose record is being filled or given back: records it reads are
 *     checked for sense, and it is told that they are from about that moment.
 */
#include "registry/allocation.h"

#include <errno.h>
#include <string.h>

#include "options.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"

#define REGION_SHIFT 26
#define REGION_BYTES ((uint64_t)1 << REGION_SHIFT)
#define GRANULE_SHIFT 4
#define REGION_ENTRIES (REGION_BYTES >> GRANULE_SHIFT)
#define ADDRESS_BITS 47
#define TOP_ENTRIES ((size_t)1 << (ADDRESS_BITS - REGION_SHIFT))
#define PAGE_ENTRIES 1024u /* entries a page of the array */
#define REGION_PAGES (REGION_ENTRIES / PAGE_ENTRIES)

struct region {
	uint32_t *even; /* by granule: blocks at multiples of 16 */
	uint32_t *odd;  /* the same for blocks at 8 modulo 16; made when the first is seen */
	uint64_t touched[REGION_PAGES / 64]; /* pages of the arrays that ever held an entry */
};

/* 16 bytes a live block. */
struct record {
	uint32_t site;            /* while free: the next free record */
	uint32_t born;
	uint64_t size : 40;       /* saturates at 1 TiB */
	uint64_t thread : 20;
	uint64_t kind : 2;
	uint64_t flags : 2;
};

_Static_assert(sizeof(struct record) == 16, "part of the promise of 32 bytes a block");

#define RECORDS_MOST ((uint64_t)1 << 28) /* without a limit on address space */
#define RECORDS_CHUNK 64u
#define MAGAZINE_MOST 256u

static struct region **top;
static struct record *slab;
static uint64_t slab_records; /* how many there is address space for */
static uint32_t slab_used = 1; /* records handed out to magazines so far; 0 is none */

static struct lock growing;     /* regions, the global free list */
static uint32_t regions[4096];  /* numbers of those in use, ascending */
static uint32_t region_count;
static uint32_t global_free, global_free_count;
static bool partial;
static bool refused; /* there is no address space for the tables */
static uint64_t memory_limit;   /* bytes for the tracker; 0: none */

static bool tables_ready(void)
{
	if (LIKELY(__atomic_load_n(&slab, __ATOMIC_ACQUIRE)))
		return true;
	if (refused || !lock_take(&growing))
		return false;
	if (!slab) {
		if (!top)
			top = sys_pages_lazy(TOP_ENTRIES * sizeof *top);
		slab_records = RECORDS_MOST / sys_address_thrift();
		struct record *made = NULL;
		/* Less will do where overcommitting is forbidden. */
		while (top && slab_records >= 65536 && !(made = sys_pages_lazy(slab_records * sizeof *slab)))
			slab_records /= 2;
		if (!made)
			refused = true;
		__atomic_store_n(&slab, made, __ATOMIC_RELEASE);
		memory_limit = options.max_memory_bytes;
	}
	lock_release(&growing);
	return slab;
}

static struct region *region_make(uint64_t number)
{
	struct region *region = NULL;
	if (!lock_take(&growing))
		return NULL;
	region = top[number];
	if (!region && region_count < COUNT_OF(regions)) {
		region = sys_pages(sizeof *region);
		uint32_t *even = region ? sys_pages_lazy(REGION_ENTRIES * sizeof *even) : NULL;
		if (even) {
			region->even = even;
			uint32_t at = region_count;
			for (; at && regions[at - 1] > number; at--)
				regions[at] = regions[at - 1];
			regions[at] = (uint32_t)number;
			__atomic_store_n(&region_count, region_count + 1, __ATOMIC_RELEASE);
			__atomic_store_n(&top[number], region, __ATOMIC_RELEASE);
		} else if (region) {
			sys_pages_free(region, sizeof *region);
			region = NULL;
		}
	}
	lock_release(&growing);
	return region;
}

static uint32_t *odd_make(struct region *region)
{
	if (lock_take(&growing)) {
		if (!region->odd)
			__atomic_store_n(&region->odd, sys_pages_lazy(REGION_ENTRIES * sizeof *region->odd),
					 __ATOMIC_RELEASE);
		lock_release(&growing);
	}
	return region->odd;
}

/* The entry of `address`; NULL where there is none (and none can be made, with `make`). */
static uint32_t *entry_of(uint64_t address, bool make)
{
	uint64_t number = address >> REGION_SHIFT;
	if (UNLIKELY(number >= TOP_ENTRIES || !slab))
		return NULL;
	struct region *region = __atomic_load_n(&top[number], __ATOMIC_ACQUIRE);
	if (UNLIKELY(!region)) {
		if (!make || !(region = region_make(number)))
			return NULL;
	}
	uint64_t granule = (address & (REGION_BYTES - 1)) >> GRANULE_SHIFT;
	uint32_t *entries = region->even;
	if (UNLIKELY(address & 15)) {
		entries = __atomic_load_n(&region->odd, __ATOMIC_ACQUIRE);
		if (!entries && (!make || !(entries = odd_make(region))))
			return NULL;
	}
	if (make) {
		uint64_t page = granule / PAGE_ENTRIES;
		uint64_t *word = &region->touched[page / 64];
		uint64_t bit = UINT64_C(1) << (page % 64);
		if (UNLIKELY(!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit)))
			__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	}
	return &entries[granule];
}

/* -- records --------------------------------------------------------------- */

static uint32_t record_take(void)
{
	if (LIKELY(self.free_records)) {
		uint32_t number = self.free_records;
		self.free_records = slab[number].site;
		self.free_record_count--;
		return number;
	}
	if (global_free && lock_take(&growing)) {
		for (unsigned i = 0; i < RECORDS_CHUNK && global_free; i++) {
			uint32_t number = global_free;
			global_free = slab[number].site;
			global_free_count--;
			slab[number].site = self.free_records;
			self.free_records = number;
			self.free_record_count++;
		}
		lock_release(&growing);
		if (self.free_records)
			return record_take();
	}
	uint32_t from = __atomic_fetch_add(&slab_used, RECORDS_CHUNK, __ATOMIC_RELAXED);
	if (from + RECORDS_CHUNK >= slab_records) {
		__atomic_fetch_sub(&slab_used, RECORDS_CHUNK, __ATOMIC_RELAXED);
		return 0;
	}
	for (uint32_t number = from + RECORDS_CHUNK - 1; number > from; number--) {
		slab[number].site = self.free_records;
		self.free_records = number;
		self.free_record_count++;
	}
	return from;
}

static void give_back(uint32_t keep)
{
	if (!lock_take(&growing))
		return;
	while (self.free_record_count > keep) {
		uint32_t number = self.free_records;
		self.free_records = slab[number].site;
		self.free_record_count--;
		slab[number].site = global_free;
		global_free = number;
		global_free_count++;
	}
	lock_release(&growing);
}

static void record_give(uint32_t number)
{
	slab[number].site = self.free_records;
	self.free_records = number;
	if (UNLIKELY(++self.free_record_count > MAGAZINE_MOST))
		give_back(MAGAZINE_MOST / 2);
}

/* -- counters -------------------------------------------------------------- */

#define FLUSH_BYTES ((int64_t)64 * 1024)

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
	__atomic_fetch_add((uint64_t *)counter, amount, __ATOMIC_RELAXED);
}

static void raise_to(_Atomic uint64_t *counter, uint64_t value)
{
	uint64_t known = __atomic_load_n((uint64_t *)counter, __ATOMIC_RELAXED);
	while (value > known && !__atomic_compare_exchange_n((uint64_t *)counter, &known, value, true,
							     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* One writer, its thread; readers want whole words. */
static void own_add(_Atomic uint64_t *counter, uint64_t amount)
{
	uint64_t *word = (uint64_t *)counter;
	__atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + amount, __ATOMIC_RELAXED);
}

static uint64_t own_take(_Atomic uint64_t *counter)
{
	uint64_t *word = (uint64_t *)counter;
	uint64_t amount = __atomic_load_n(word, __ATOMIC_RELAXED);
	__atomic_store_n(word, 0, __ATOMIC_RELAXED);
	return amount;
}

void allocation_flush(void)
{
	struct rec_thread *slot = self.slot;
	if (!slot)
		return;
	uint64_t made = own_take(&slot->allocated_bytes), made_blocks = own_take(&slot->allocated_blocks);
	uint64_t freed = own_take(&slot->freed_bytes), freed_blocks = own_take(&slot->freed_blocks);
	add(&recording->total_bytes, made);
	add(&recording->total_blocks, made_blocks);
	add(&recording->live_blocks, made_blocks - freed_blocks);
	uint64_t live = __atomic_add_fetch((uint64_t *)&recording->live_bytes, made - freed, __ATOMIC_RELAXED);
	if ((int64_t)live > 0)
		raise_to(&recording->peak_bytes, live);
	self.unflushed_bytes = 0;
}

static void count(int64_t bytes)
{
	struct rec_thread *slot = thread_slot();
	if (UNLIKELY(!slot)) {
		uint64_t live = __atomic_add_fetch((uint64_t *)&recording->live_bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
		if (bytes >= 0) {
			add(&recording->live_blocks, 1);
			add(&recording->total_bytes, (uint64_t)bytes);
			add(&recording->total_blocks, 1);
			raise_to(&recording->peak_bytes, live);
		} else {
			add(&recording->live_blocks, UINT64_MAX);
		}
		return;
	}
	if (bytes >= 0) {
		own_add(&slot->allocated_bytes, (uint64_t)bytes);
		own_add(&slot->allocated_blocks, 1);
	} else {
		own_add(&slot->freed_bytes, (uint64_t)-bytes);
		own_add(&slot->freed_blocks, 1);
	}
	self.unflushed_bytes += bytes;
	if (UNLIKELY(self.unflushed_bytes > FLUSH_BYTES || self.unflushed_bytes < -FLUSH_BYTES))
		allocation_flush();
}

/* The site of a stack, made at its first allocation; 0: no stack, or no room. */
static site_id site_of(stack_id stack)
{
	if (!stack)
		return 0;
	struct rec_stack *record = (struct rec_stack *)((char *)recording_table(REC_STACKS) + (uint64_t)stack * 8);
	site_id site = __atomic_load_n((uint32_t *)&record->site, __ATOMIC_ACQUIRE);
	if (LIKELY(site))
		return site;
	uint64_t at = recording_append(REC_SITES, sizeof(struct rec_site));
	if (at == UINT64_MAX)
		return 0;
	site_id made = (site_id)(at / sizeof(struct rec_site));
	((struct rec_site *)recording_table(REC_SITES))[made].stack = stack;
	uint32_t none = 0;
	/* Two threads may make one at the same time; the loser's stays unused. */
	if (__atomic_compare_exchange_n((uint32_t *)&record->site, &none, made, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return made;
	((struct rec_site *)recording_table(REC_SITES))[made].stack = 0;
	return none;
}

static void site_count(site_id site, int64_t bytes)
{
	if (!site)
		return;
	struct rec_site *at = &((struct rec_site *)recording_table(REC_SITES))[site];
	uint64_t live = __atomic_add_fetch((uint64_t *)&at->live_bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
	if (bytes < 0) {
		add(&at->live_blocks, UINT64_MAX);
		return;
	}
	add(&at->live_blocks, 1);
	add(&at->total_bytes, (uint64_t)bytes);
	add(&at->total_blocks, 1);
	if (live > __atomic_load_n((uint64_t *)&at->peak_bytes, __ATOMIC_RELAXED))
		raise_to(&at->peak_bytes, live);
}

/* -- blocks ---------------------------------------------------------------- */

#define SIZE_MOST ((UINT64_C(1) << 40) - 1)

static uint32_t ticks_now(void)
{
	/* The reporter's last look is near enough where there is one, and costs no clock. */
	nsec_t now = __atomic_load_n((uint64_t *)&recording->tick_mono, __ATOMIC_RELAXED);
	if (!now)
		now = sys_monotonic_coarse();
	return (uint32_t)((now - recording->started_mono) / ALLOCATION_TICK);
}

static void give_up_exactness(void)
{
	if (!(__atomic_load_n(&recording->degraded, __ATOMIC_RELAXED) & REC_MEMORY_LIMIT)) {
		recording_degrade(REC_MEMORY_LIMIT);
		partial = true;
	}
}

static bool within_memory(void)
{
	if (LIKELY(!memory_limit))
		return true;
	/* A record and two entries of 4 bytes a block at the least. */
	if ((uint64_t)__atomic_load_n(&slab_used, __ATOMIC_RELAXED) * 24 < memory_limit)
		return true;
	return self.free_records || global_free;
}

static void insert(uint64_t hidden, uint64_t size, unsigned kind, unsigned flags, site_id site, uint32_t born,
		   uint32_t thread)
{
	uint32_t *entry = entry_of(~hidden, true);
	uint32_t number = entry && within_memory() ? record_take() : 0;
	if (UNLIKELY(!number)) {
		give_up_exactness();
		add(&recording->dropped_events, 1);
		return;
	}
	slab[number] = (struct record){
		.site = site,
		.born = born,
		.size = MIN_OF(size, SIZE_MOST),
		.thread = thread & ((1u << 20) - 1),
		.kind = kind & 3,
		.flags = flags & 3,
	};
	/* Something may stand here: a block that was freed in a way that we did not see. */
	uint32_t stale = __atomic_exchange_n(entry, number, __ATOMIC_ACQ_REL);
	if (UNLIKELY(stale)) {
		site_count(slab[stale].site, -(int64_t)slab[stale].size);
		count(-(int64_t)slab[stale].size);
		record_give(stale);
	}
	site_count(site, (int64_t)MIN_OF(size, SIZE_MOST));
	count((int64_t)MIN_OF(size, SIZE_MOST));
}

void allocation_begin(uint64_t hidden, size_t size, enum allocation_kind kind, stack_id stack, unsigned flags)
{
	if (!tables_ready())
		return;
	self.busy++;
	struct rec_thread *slot = thread_slot();
	insert(hidden, size, kind, flags, site_of(stack), ticks_now(), slot ? slot->id : 0);
	self.busy--;
}

void allocation_early(const void *address, size_t size)
{
	if (!tables_ready())
		return;
	self.busy++;
	insert(allocation_hide(address), size, ALLOCATED_MALLOC, ALLOCATION_ROOT, 0, 0, 0);
	self.busy--;
}

void allocation_restore(const struct allocation *allocation)
{
	self.busy++;
	insert(~allocation->address, allocation->size, allocation->kind, allocation->flags, allocation->site,
	       allocation->born, allocation->thread);
	self.busy--;
}

static void describe(uint64_t address, const struct record *record, struct allocation *into)
{
	*into = (struct allocation){
		.address = address,
		.size = record->size,
		.site = record->site,
		.born = record->born,
		.thread = record->thread,
		.kind = record->kind,
		.flags = record->flags,
	};
}

bool allocation_end(const void *address, struct allocation *ret_allocation)
{
	uint32_t *entry = entry_of((uintptr_t)address, false);
	if (!entry || !__atomic_load_n(entry, __ATOMIC_RELAXED))
		return false;
	self.busy++;
	uint32_t number = __atomic_exchange_n(entry, 0, __ATOMIC_ACQ_REL);
	if (number) {
		if (ret_allocation)
			describe((uintptr_t)address, &slab[number], ret_allocation);
		site_count(slab[number].site, -(int64_t)slab[number].size);
		count(-(int64_t)slab[number].size);
		record_give(number);
	}
	self.busy--;
	return number;
}

bool allocation_find(const void *address, struct allocation *ret_allocation)
{
	const uint32_t *entry = entry_of((uintptr_t)address, false);
	uint32_t number = entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;
	if (number && ret_allocation)
		describe((uintptr_t)address, &slab[number], ret_allocation);
	return number;
}

/* Blocks of one page of entries, even and odd interleaved by address. */
static bool each_in_page(const struct region *region, uint64_t base, uint64_t page,
			 bool (*each)(const struct allocation *allocation, void *data), void *data)
{
	const uint32_t *odd = __atomic_load_n(&region->odd, __ATOMIC_ACQUIRE);
	struct allocation found;
	for (uint64_t i = page * PAGE_ENTRIES; i < (page + 1) * PAGE_ENTRIES; i++) {
		uint32_t number = __atomic_load_n(&region->even[i], __ATOMIC_ACQUIRE);
		if (number) {
			describe(base + (i << GRANULE_SHIFT), &slab[number], &found);
			if (!each(&found, data))
				return false;
		}
		number = odd ? __atomic_load_n(&odd[i], __ATOMIC_ACQUIRE) : 0;
		if (number) {
			describe(base + (i << GRANULE_SHIFT) + 8, &slab[number], &found);
			if (!each(&found, data))
				return false;
		}
	}
	return true;
}

void allocation_each(bool (*each)(const struct allocation *allocation, void *data), void *data)
{
	uint32_t regions_now = __atomic_load_n(&region_count, __ATOMIC_ACQUIRE);
	for (uint32_t r = 0; r < regions_now; r++) {
		const struct region *region = top[regions[r]];
		uint64_t base = (uint64_t)regions[r] << REGION_SHIFT;
		for (uint64_t page = 0; page < REGION_PAGES; page++) {
			uint64_t word = __atomic_load_n(&region->touched[page / 64], __ATOMIC_RELAXED);
			if (!(word & (UINT64_C(1) << (page % 64))))
				continue;
			if (!each_in_page(region, base, page, each, data))
				return;
		}
	}
}

uint64_t allocation_count(void)
{
	return (uint64_t)slab_used - global_free_count;
}

bool allocation_partial(void)
{
	return partial || options.alloc == ALLOC_SAMPLE;
}

void allocation_thread_end(void)
{
	if (slab)
		give_back(0);
}

void allocation_fork_child(void)
{
	growing.word = 0;
	for (uint32_t r = 0; r < region_count; r++) {
		struct region *region = top[regions[r]];
		sys_pages_free(region->even, REGION_ENTRIES * sizeof *region->even);
		if (region->odd)
			sys_pages_free(region->odd, REGION_ENTRIES * sizeof *region->odd);
		sys_pages_free(region, sizeof *region);
	}
	if (slab) {
		sys_pages_free(top, TOP_ENTRIES * sizeof *top);
		sys_pages_free(slab, slab_records * sizeof *slab);
	}
	top = NULL;
	slab = NULL;
	region_count = 0;
	slab_used = 1;
	global_free = global_free_count = 0;
	self.free_records = self.free_record_count = 0;
	self.unflushed_bytes = 0;
	partial = true;
}
