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
#include "registry/sampling.h"
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
	uint32_t site; /* while free: the next free record */
	uint32_t born;
	uint64_t size : 40; /* saturates at 1 TiB */
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
static uint64_t slab_records;  /* how many there is address space for */
static uint32_t slab_used = 1; /* records handed out to magazines so far; 0 is none */

static struct lock growing;    /* regions, the global free list */
static uint32_t regions[4096]; /* numbers of those in use, ascending */
static uint32_t region_count;
static uint32_t global_free, global_free_count;
static bool sampling; /* the tracker has used up its memory, or was told to sample */
static bool partial;
static bool refused;          /* there is no address space for the tables */
static uint64_t memory_limit; /* bytes for the tracker; 0: none */

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
		sampling = options.alloc == ALLOC_SAMPLE;
		memory_limit = options.max_memory_bytes;
		if (!memory_limit && options.max_memory_percent)
			memory_limit = sys_memory_total() / 100 * options.max_memory_percent;
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
	uint64_t live =
	    __atomic_add_fetch((uint64_t *)&recording->live_bytes, made - freed, __ATOMIC_RELAXED);
	if ((int64_t)live > 0)
		raise_to(&recording->peak_bytes, live);
	self.unflushed_bytes = 0;
}

/* What one record counts for. */
static struct sampling_weight weigh(const struct record *record)
{
	if (UNLIKELY(record->flags & ALLOCATION_SAMPLED))
		return sampling_weigh(record->size, options.sample_bytes);
	return (struct sampling_weight){ (int64_t)record->size, 1 };
}

static void count_process(struct sampling_weight weight, bool made)
{
	struct rec_thread *slot = thread_slot();
	uint64_t bytes = (uint64_t)weight.bytes, blocks = (uint64_t)weight.blocks;
	if (UNLIKELY(!slot)) {
		uint64_t live = __atomic_add_fetch((uint64_t *)&recording->live_bytes, made ? bytes : -bytes,
						   __ATOMIC_RELAXED);
		add(&recording->live_blocks, made ? blocks : -blocks);
		if (made) {
			add(&recording->total_bytes, bytes);
			add(&recording->total_blocks, blocks);
			raise_to(&recording->peak_bytes, live);
		}
		return;
	}
	own_add(made ? &slot->allocated_bytes : &slot->freed_bytes, bytes);
	own_add(made ? &slot->allocated_blocks : &slot->freed_blocks, blocks);
	self.unflushed_bytes += made ? weight.bytes : -weight.bytes;
	if (UNLIKELY(self.unflushed_bytes > FLUSH_BYTES || self.unflushed_bytes < -FLUSH_BYTES))
		allocation_flush();
}

/* The site of a stack, made at its first allocation; 0: no stack, or no room. */
static site_id site_of(stack_id stack)
{
	if (!stack)
		return 0;
	struct rec_stack *record =
	    (struct rec_stack *)((char *)recording_table(REC_STACKS) + (uint64_t)stack * 8);
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

static void count_site(site_id site, struct sampling_weight weight, bool made)
{
	if (!site)
		return;
	struct rec_site *at = &((struct rec_site *)recording_table(REC_SITES))[site];
	uint64_t bytes = (uint64_t)weight.bytes, blocks = (uint64_t)weight.blocks;
	uint64_t live =
	    __atomic_add_fetch((uint64_t *)&at->live_bytes, made ? bytes : -bytes, __ATOMIC_RELAXED);
	add(&at->live_blocks, made ? blocks : -blocks);
	if (!made)
		return;
	add(&at->total_bytes, bytes);
	add(&at->total_blocks, blocks);
	if (live > __atomic_load_n((uint64_t *)&at->peak_bytes, __ATOMIC_RELAXED))
		raise_to(&at->peak_bytes, live);
}

static void count(const struct record *record, bool made)
{
	struct sampling_weight weight = weigh(record);
	count_site(record->site, weight, made);
	count_process(weight, made);
}

/* -- blocks ---------------------------------------------------------------- */

#define SIZE_MOST ((UINT64_C(1) << 40) - 1)

static uint32_t era_now(void)
{
	return __atomic_load_n((uint32_t *)&recording->era, __ATOMIC_RELAXED);
}

/* Exactness was affordable up to here; from now on a sample has to do, and the report says so. */
static void give_up_exactness(void)
{
	recording_degrade(REC_MEMORY_LIMIT);
	__atomic_fetch_or((uint32_t *)&recording->flags, REC_ALLOC_SAMPLED, __ATOMIC_RELAXED);
	sampling = partial = true;
}

static bool within_memory(void)
{
	if (LIKELY(!memory_limit))
		return true;
	/* A record and two entries of 4 bytes a block at the least. */
	return (uint64_t)__atomic_load_n(&slab_used, __ATOMIC_RELAXED) * 24 < memory_limit;
}

bool allocation_chosen(size_t size, unsigned *ret_flags)
{
	*ret_flags = 0;
	if (LIKELY(!sampling))
		return true;
	self.until_sample -= (int64_t)MIN_OF(size, (size_t)INT64_MAX / 2);
	if (LIKELY(self.until_sample > 0))
		return false;
	/* A block may be worth several samples; what it counts for knows its size. */
	self.until_sample = sampling_draw(&self.sample_state, options.sample_bytes);
	*ret_flags = ALLOCATION_SAMPLED;
	return true;
}

static void insert(uint64_t hidden, uint64_t size, unsigned kind, unsigned flags, site_id site, uint32_t born,
		   uint32_t thread)
{
	uint32_t *entry = entry_of(~hidden, true);
	uint32_t number = entry ? record_take() : 0;
	if (UNLIKELY(!number)) {
		give_up_exactness();
		add(&recording->dropped_events, 1);
		return;
	}
	if (UNLIKELY(!within_memory()) && !sampling)
		give_up_exactness();
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
		count(&slab[stale], false);
		record_give(stale);
	}
	count(&slab[number], true);
}

void allocation_begin(uint64_t hidden, size_t size, enum allocation_kind kind, stack_id stack, unsigned flags)
{
	if (!tables_ready())
		return;
	self.busy++;
	struct rec_thread *slot = thread_slot();
	insert(hidden, size, kind, flags, site_of(stack), era_now(), slot ? slot->id : 0);
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
		count(&slab[number], false);
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
