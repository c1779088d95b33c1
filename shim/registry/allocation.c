/*
 * The slab of records, and the magazines of free ones. What makes it safe without a lock:
 *
 *   - A record belongs to whoever owns the block; the allocator orders one owner after the other.
 *   - Free records lie in magazines: chains of MAGAZINE_MOST at the most, each with a name of its own. A thread has one
 *     that it takes from and gives to, and maybe a full one beside it; others are in a stack of them, under a lock. They
 *     come and go as a whole: what was freed long ago is in no cache, and walking such a chain is one miss after another.
 *   - Only its thread touches a magazine. A signal handler that frees something in the
 *     middle of that may make us lose records, never use one twice: each step is one store, and it puts records into
 *     the magazine that it finds, while there is room, but exchanges none.
 *   - A program that frees a block twice at the same time from two threads (and was about to
 *     crash) can bring one record into two magazines. Each free record names its magazine; who
 *     finds another's name in its chain lets go of the chain, and those records stay unused.
 *   - The slab only ever grows. A reader (allocation_each) may see an entry whose record is
 *     being filled or given back: it is told that it sees about that moment.
 */
#include "registry/allocation.h"

#include <errno.h>
#include <string.h>

#include "options.h"
#include "platform/lock.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/address_map.h"
#include "registry/count.h"
#include "registry/foreign_heap.h"
#include "registry/freed.h"
#include "registry/recording.h"
#include "registry/sampling.h"
#include "registry/thread.h"

/* 16 bytes a live block. */
struct record {
	uint32_t site; /* while free: the next free record */
	uint32_t born; /* while free: the magazine it is in */
	uint64_t rest; /* see pack */
};

_Static_assert(sizeof(struct record) == 16, "part of the promise of 32 bytes a block");

#define RECORDS_MOST ((uint64_t)1 << 28) /* without a limit on address space */
#define RECORDS_CHUNK 64u
#define MAGAZINE_MOST 128u
#define MAGAZINES_EACH \
	32u /* of so many records there is room for one in the stack; what finds none is lost */

_Static_assert(RECORDS_MOST <= ADDRESS_MAP_NUMBERS, "each record has a number");

static struct record *slab;
static uint64_t slab_records;  /* how many there is address space for */
static uint32_t slab_used = 1; /* records handed out to magazines so far; 0 is none */

static struct lock growing; /* the slab, the stack of magazines */
/* Behind the slab and not in its records: what one says that came into two magazines is not to be gone by. */
static struct magazine *stacked;
static uint32_t stacked_count, stacked_records; /* magazines; records in them */
static bool sampling; /* the tracker has used up its memory, or was told to sample */
static bool partial;
static bool uncertain;        /* there are, or were, blocks that come or go unrecorded */
static bool refused;          /* there is no address space for the tables */
static uint64_t memory_limit; /* bytes for the tracker; 0: none */

/* The slab, and the stack behind it. */
static uint64_t tables_bytes(void)
{
	return slab_records * sizeof *slab + slab_records / MAGAZINES_EACH * sizeof *stacked;
}

static NOINLINE bool make_tables(void)
{
	if (refused || !address_map_ready() || !lock_take(&growing))
		return false;
	if (!slab) {
		slab_records = RECORDS_MOST / sys_address_thrift();
		struct record *made = NULL;
		/* Less will do where overcommitting is forbidden. */
		while (slab_records >= 65536 && !(made = sys_pages_lazy(tables_bytes())))
			slab_records /= 2;
		if (made)
			stacked = (struct magazine *)(made + slab_records);
		else
			refused = true;
		sampling = options.alloc == ALLOC_SAMPLE;
		uncertain |= sampling;
		memory_limit = options.max_memory_bytes;
		if (!memory_limit && options.max_memory_percent)
			memory_limit = sys_memory_total() / 100 * options.max_memory_percent;
		__atomic_store_n(&slab, made, __ATOMIC_RELEASE);
	}
	lock_release(&growing);
	return slab;
}

static inline bool tables_ready(void)
{
	return LIKELY(__atomic_load_n(&slab, __ATOMIC_ACQUIRE)) || make_tables();
}

/* Exactness was affordable up to here; from now on a sample has to do, and the report says so. */
NOINLINE void allocation_sample_from_now(uint32_t why)
{
	recording_degrade(why);
	__atomic_fetch_or((uint32_t *)&recording->flags, REC_ALLOC_SAMPLED, __ATOMIC_RELAXED);
	partial = uncertain = true;
	__atomic_store_n(&sampling, true, __ATOMIC_SEQ_CST);
	process_gate_set(GATE_CLOSED);
}

/* -- records ----------------------------------------------------------------- */

#define SIZE_BITS 37 /* larger blocks count as 128 GiB */
#define SIZE_MOST ((UINT64_C(1) << SIZE_BITS) - 1)
#define THREAD_BITS 20
#define KIND_SHIFT (SIZE_BITS + THREAD_BITS)
#define KIND_MASK UINT64_C(7)
#define FLAGS_SHIFT (KIND_SHIFT + 3)

static inline uint64_t thread_bits(uint32_t thread)
{
	return (uint64_t)(thread << (32 - THREAD_BITS)) << (SIZE_BITS + THREAD_BITS - 32);
}

/* By hand, since compilers write bit fields piece by piece and then wait for them when the whole is read. */
static inline uint64_t pack(uint64_t size, uint32_t thread, unsigned kind, unsigned flags)
{
	return MIN_OF(size, SIZE_MOST) | thread_bits(thread) | (kind & KIND_MASK) << KIND_SHIFT |
	       (uint64_t)flags << FLAGS_SHIFT;
}

/* Of `rest`: what says nothing about a block's size, its flags, or how it must be given back. */
#define THREAD_MASK (((UINT64_C(1) << KIND_SHIFT) - 1) & ~SIZE_MOST)

static inline uint64_t size_in(uint64_t rest)
{
	return rest & SIZE_MOST;
}

static inline unsigned flags_in(uint64_t rest)
{
	return (unsigned)(rest >> FLAGS_SHIFT);
}

/* Names that were no magazine's before; of eras (`born` of a live record) none has come so far after 248 days. */
static uint32_t new_name(void)
{
	static uint32_t named;
	return __atomic_add_fetch(&named, 1, __ATOMIC_RELAXED) | UINT32_C(1) << 31;
}

static inline void record_push(uint32_t number)
{
	slab[number].site = self.free_records;
	slab[number].born = self.magazine;
	self.free_records = number;
	self.free_record_count++;
}

/*
 * The name goes first: what a handler frees in between is lost with its own record alone. A name that is
 * taken over is this thread's then, as all of the chain.
 */
static inline void magazine_set(struct magazine to)
{
	self.magazine = to.name;
	self.free_records = to.top;
	self.free_record_count = to.count;
}

static inline struct magazine magazine_now(void)
{
	return (struct magazine){ self.free_records, self.free_record_count, self.magazine };
}

/* Puts the thread's magazine onto the stack; the thread has an empty one then. */
static void magazine_give(void)
{
	struct magazine given = magazine_now();
	given.count = MIN_OF(given.count, MAGAZINE_MOST); /* a handler may have come between two counts */
	magazine_set((struct magazine){ .name = new_name() });
	if (!given.top || !lock_take(&growing))
		return;
	if (stacked_count < slab_records / MAGAZINES_EACH) {
		stacked[stacked_count] = given;
		__atomic_store_n(&stacked_count, stacked_count + 1, __ATOMIC_RELAXED);
		stacked_records += given.count;
	}
	lock_release(&growing);
}

/* Takes the top one off the stack. Return: false: there is none. */
static bool magazine_take(void)
{
	if (!__atomic_load_n(&stacked_count, __ATOMIC_RELAXED) || !lock_take(&growing))
		return false;
	const uint32_t left = stacked_count;
	if (left) {
		__atomic_store_n(&stacked_count, left - 1, __ATOMIC_RELAXED);
		stacked_records -= stacked[left - 1].count;
		magazine_set(stacked[left - 1]);
	}
	lock_release(&growing);
	return left;
}

/* Exchanges the thread's magazine for the one beside it. */
static void magazine_turn(void)
{
	const struct magazine beside = self.beside;
	self.beside = magazine_now();
	magazine_set(beside.top ? beside : (struct magazine){ .name = new_name() });
}

/* New ones, off the end of the slab. Return: false: there is no room. */
static bool magazine_make(void)
{
	if (__atomic_load_n(&slab_used, __ATOMIC_RELAXED) + RECORDS_CHUNK >= slab_records)
		return false;
	uint32_t from = __atomic_fetch_add(&slab_used, RECORDS_CHUNK, __ATOMIC_RELAXED);
	if (UNLIKELY(from + RECORDS_CHUNK >= slab_records)) {
		__atomic_fetch_sub(&slab_used, RECORDS_CHUNK, __ATOMIC_RELAXED);
		return false;
	}
	for (uint32_t number = from + RECORDS_CHUNK; number-- > from;)
		record_push(number);
	/* A record and its entry, of 4 bytes for 32 of the block. */
	if (memory_limit && (uint64_t)from * 24 >= memory_limit && !sampling)
		allocation_sample_from_now(REC_MEMORY_LIMIT);
	return true;
}

static NOINLINE uint32_t record_take_other(void)
{
	for (;;) {
		/* A chain that another magazine's record has come into is not ours any more. */
		magazine_set((struct magazine){ .name = new_name() });
		if (self.beside.top)
			magazine_turn();
		else if (!magazine_take() && !magazine_make())
			return 0;
		uint32_t number = self.free_records;
		if (UNLIKELY(!number || slab[number].born != self.magazine))
			continue;
		self.free_records = slab[number].site;
		self.free_record_count--;
		return number;
	}
}

static inline uint32_t record_take(void)
{
	uint32_t number = self.free_records;
	if (UNLIKELY(!number || slab[number].born != self.magazine))
		return record_take_other();
	self.free_records = slab[number].site;
	self.free_record_count--;
	return number;
}

/*
 * The thread's magazine is full: it goes beside, or where one is there, onto the stack. Return: false: a handler has interrupted
 * who may just take from it.
 */
static NOINLINE bool make_place(void)
{
	if (UNLIKELY(self.busy > SELF_IN_ALLOCATOR))
		return false;
	if (self.beside.top)
		magazine_give();
	else
		magazine_turn();
	return true;
}

static inline void record_give(uint32_t number)
{
	if (UNLIKELY(!self.magazine))
		self.magazine = new_name();
	if (LIKELY(self.free_record_count < MAGAZINE_MOST) || make_place())
		record_push(number);
}

/* -- counting ------------------------------------------------------------------ */

static NOINLINE void count_sample(site_id site, uint64_t size, enum count_what what)
{
	struct sampling_weight weight = sampling_weigh(size, options.sample_bytes);
	count_shared(site, weight.bytes, weight.blocks, what);
}

ALWAYS_INLINE void count(site_id site, uint64_t rest, enum count_what what)
{
	if (UNLIKELY(flags_in(rest) & ALLOCATION_SAMPLED))
		count_sample(site, size_in(rest), what);
	else
		count_block(site, size_in(rest), what);
}

/* -- blocks -------------------------------------------------------------------- */

static inline uint32_t era_now(void)
{
	return __atomic_load_n((uint32_t *)&recording->era, __ATOMIC_RELAXED);
}

bool allocation_exact(void)
{
	return tables_ready() && !__atomic_load_n(&sampling, __ATOMIC_SEQ_CST);
}

bool allocation_sampled(void)
{
	return tables_ready() && __atomic_load_n(&sampling, __ATOMIC_SEQ_CST);
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

static NOINLINE void no_room(void)
{
	if (!sampling)
		allocation_sample_from_now(REC_MEMORY_LIMIT);
	__atomic_fetch_add((uint64_t *)&recording->dropped_events, 1, __ATOMIC_RELAXED);
}

/* What stood at a block's address: a block that was freed in a way that we did not see; or, without room, the block itself. */
static NOINLINE void drop_stale(uint32_t stale, uint32_t number)
{
	if (stale == number) {
		no_room();
		return;
	}
	count(slab[stale].site, slab[stale].rest, COUNT_FREED);
	record_give(stale);
}

ALWAYS_INLINE void insert(uint64_t hidden, site_id site, uint32_t born, uint64_t rest)
{
	uint32_t number = record_take();
	if (UNLIKELY(!number)) {
		no_room();
		return;
	}
	slab[number].site = site;
	slab[number].born = born;
	slab[number].rest = rest;
	uint32_t stale;
	if (UNLIKELY(!address_map_put(~hidden, number, &stale))) {
		record_give(number);
		no_room();
		return;
	}
	if (UNLIKELY(stale)) {
		drop_stale(stale, number);
		if (stale == number) {
			record_give(number);
			return;
		}
	}
	count(site, rest, COUNT_MADE);
}

void allocation_begin(uint64_t hidden, size_t size, enum allocation_kind kind, stack_id stack, unsigned flags)
{
	if (UNLIKELY(!tables_ready()))
		return;
	const struct rec_thread *slot = LIKELY(self.slot) ? self.slot : thread_slot();
	insert(hidden, count_site(stack), era_now(), pack(size, slot ? slot->id : 0, kind, flags));
}

/*
 * All that has to be so for the usual way is looked at first, and what is not usual starts
 * again from the beginning: so nothing is called in between, and no register saved.
 */
void allocation_made(uint64_t hidden, size_t size, enum allocation_kind kind, stack_id stack)
{
	/* Where there was no room for a stack there may be no page to read either. */
	if (UNLIKELY(!stack))
		goto other;
	site_id site = __atomic_load_n((uint32_t *)&recording_stack(stack)->site, __ATOMIC_ACQUIRE);
	struct rec_cell *cell = count_cell(site, size);
	if (UNLIKELY(!cell))
		goto other;
	uint32_t *window = address_map_free_window(~hidden);
	if (UNLIKELY(!window))
		goto other;
	uint32_t number = self.free_records;
	struct record *record = &slab[number];
	/* Record 0 is in nobody's magazine. */
	if (UNLIKELY(record->born != self.magazine))
		goto other;
	uint32_t following = record->site;
	__builtin_prefetch(&slab[following],
			   1); /* in magazines that come back from the stack it may be long since touched */
	record->site = site;
	record->born = era_now();
	/* Cells take small blocks only, so the size needs no cutting. */
	record->rest = size | thread_bits(self.cells->owner) | (uint64_t)kind << KIND_SHIFT;
	if (UNLIKELY(!address_map_claim(window, address_map_entry(~hidden, number)))) {
		record->site = following;
		record->born = self.magazine;
		goto other;
	}
	self.free_records = following;
	self.free_record_count--;
	count_in_cell(cell, size, COUNT_MADE);
	return;
other:
	allocation_begin(hidden, size, kind, stack, 0);
}

void allocation_early(const void *address, size_t size)
{
	if (!tables_ready())
		return;
	insert(allocation_hide(address), 0, 0, pack(size, 0, ALLOCATED_MALLOC, ALLOCATION_ROOT));
}

void allocation_restore(const struct allocation *was)
{
	insert(~was->address, was->site, was->born, pack(was->size, was->thread, was->kind, was->flags));
}

static void describe(uint64_t address, uint32_t number, struct allocation *into)
{
	const struct record *record = &slab[number];
	*into = (struct allocation){
		.address = address,
		.size = size_in(record->rest),
		.site = record->site,
		.born = record->born,
		.thread = record->rest >> SIZE_BITS & ((1u << THREAD_BITS) - 1),
		.kind = record->rest >> KIND_SHIFT & KIND_MASK,
		.flags = flags_in(record->rest),
	};
}

/* The way of nearly every free. Return: false: nothing is known of a block there. */
ALWAYS_INLINE bool forget(uint64_t address, struct allocation *ret_allocation)
{
	uint32_t number = address_map_find(address);
	if (UNLIKELY(!number))
		return false;
	if (ret_allocation)
		describe(address, number, ret_allocation);
	address_map_freed(address, slab[number].site);
	count(slab[number].site, slab[number].rest, COUNT_FREED);
	record_give(number);
	return true;
}

static NOINLINE bool freed_other(const void *block, uint64_t size, size_t told)
{
	if (size > (uint64_t)COUNT_SPILL || (told != size && told != SIZE_MAX))
		return false;
	return forget((uintptr_t)block, NULL);
}

/*
 * As allocation_made: first the questions. What of `rest` differs from `like`, but for the bits of `whatever`, is the
 * size; a kind that does not fit makes it too large, and so do flags.
 */
ALWAYS_INLINE bool freed_usual(const void *block, uint64_t like, uint64_t whatever, size_t told,
			       const void *caller)
{
	uint64_t address = (uintptr_t)block;
	if (UNLIKELY(!address_map_near(address)))
		return false;
	uint32_t *window = near_window(address);
	uint32_t entry = __atomic_load_n(window, __ATOMIC_RELAXED);
	if (UNLIKELY(!entry_lives_at(entry, address)))
		return false;
	struct rec_cells *cells = self.cells;
	if (UNLIKELY(!cells))
		return false;
	/* Early, while it is at hand; whoever frees the block in another way does the same. */
	freed_note(cells, address, caller);
	struct record *record = &slab[entry >> 2]; /* number 0: no record, which has no site */
	uint64_t size = (record->rest ^ like) & ~whatever;
	site_id site = record->site;
	struct rec_cell *cell = count_cell_in(cells, site, size);
	if (UNLIKELY(!cell) || UNLIKELY(told != size && told != SIZE_MAX) ||
	    UNLIKELY(self.free_record_count >= MAGAZINE_MOST))
		return freed_other(block, size, told);
	__atomic_store_n(window, ADDRESS_MAP_TRACE | site << 2 | (entry & 3), __ATOMIC_RELEASE);
	record->site = self.free_records;
	record->born = self.magazine;
	self.free_records = entry >> 2;
	self.free_record_count++;
	return count_in_cell(cell, size, COUNT_FREED);
}

bool allocation_freed(const void *address, const void *caller)
{
	return freed_usual(address, 0, THREAD_MASK | (uint64_t)ALLOCATED_ALIGNED << KIND_SHIFT, SIZE_MAX,
			   caller);
}

bool allocation_deleted(const void *address, enum allocation_kind kind, size_t size, const void *caller)
{
	return freed_usual(address, (uint64_t)kind << KIND_SHIFT, THREAD_MASK, size, caller);
}

bool allocation_end(const void *address, struct allocation *ret_allocation)
{
	/* Where few blocks are recorded, spare the others the look at a table that is empty there. */
	if (UNLIKELY(sampling) && !address_map_touched((uintptr_t)address))
		return false;
	return forget((uintptr_t)address, ret_allocation);
}

void allocation_fetch(uint64_t address, unsigned step)
{
	if (step == 0)
		address_map_fetch(address);
	else
		__builtin_prefetch(&slab[address_map_find(address)]);
}

bool allocation_find(const void *address, struct allocation *ret_allocation)
{
	uint32_t number = address_map_find((uintptr_t)address);
	if (number && ret_allocation)
		describe((uintptr_t)address, number, ret_allocation);
	return number;
}

bool allocation_below(const void *address, struct allocation *ret_allocation)
{
	/* No program of today has larger blocks that it frees in the middle. */
	uint64_t start;
	uint32_t number = address_map_below((uintptr_t)address, UINT64_C(1) << 30, &start);
	if (number)
		describe(start, number, ret_allocation);
	return number;
}

bool allocation_around(uint64_t address, uint64_t most, struct allocation *ret_allocation)
{
	uint64_t start;
	uint32_t number = slab ? address_map_below(address, most, &start) : 0;
	if (number)
		describe(start, number, ret_allocation);
	return number && address - start < ret_allocation->size;
}

/* How far behind the start of its block a lock is looked for: further than most, and 2,048 windows at the most. */
#define LOCK_REACH (UINT64_C(64) << 10)

void allocation_mark_lock(uint64_t lock)
{
	uint64_t start;
	const uint64_t mark = (uint64_t)ALLOCATION_LOCK << FLAGS_SHIFT;
	if (!slab)
		return;
	uint32_t number = address_map_below(lock, LOCK_REACH, &start);
	if (!number)
		return;
	/* The block may go, and its record be another's: whose bit is set in vain then takes the long way once. */
	uint64_t rest = __atomic_load_n(&slab[number].rest, __ATOMIC_RELAXED);
	if (lock - start < size_in(rest) && !(rest & mark))
		__atomic_compare_exchange_n(&slab[number].rest, &rest, rest | mark, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

void allocation_mark_pool(uint64_t start)
{
	uint32_t number = address_map_find(start);
	if (number)
		__atomic_fetch_or(&slab[number].rest, (uint64_t)ALLOCATION_POOL << FLAGS_SHIFT,
				  __ATOMIC_RELAXED);
}

bool allocation_was_freed(const void *address, site_id *ret_site)
{
	return address_map_was_freed((uintptr_t)address, ret_site);
}

enum address_was allocation_inherited(const void *address, bool frees)
{
	return address_map_inherited((uintptr_t)address, frees);
}

void allocation_unseen(const void *address)
{
	address_map_unseen((uintptr_t)address);
}

void allocation_doubt(void)
{
	uncertain = true;
}

bool allocation_certain(void)
{
	return tables_ready() && !uncertain;
}

/* -- all of them --------------------------------------------------------------- */

struct each {
	bool (*call)(const struct allocation *allocation, void *data);
	void *data;
};

static bool each_number(uint64_t address, uint32_t number, void *data)
{
	const struct each *each = data;
	struct allocation found;
	if (number >= slab_records)
		return true;
	describe(address, number, &found);
	return each->call(&found, each->data);
}

void allocation_each(bool (*call)(const struct allocation *allocation, void *data), void *data)
{
	struct each each = { call, data };
	if (slab)
		address_map_each(each_number, &each);
}

uint64_t allocation_count(void)
{
	return (uint64_t)slab_used - stacked_records;
}

bool allocation_partial(void)
{
	return partial || options.alloc == ALLOC_SAMPLE || foreign_heap_doubted();
}

void allocation_thread_end(void)
{
	if (!slab)
		return;
	magazine_give();
	magazine_turn();
	magazine_give();
}

void allocation_fork_child(void)
{
	growing.word = 0;
	address_map_fork_child();
	if (slab)
		sys_pages_free(slab, tables_bytes());
	slab = NULL;
	slab_used = 1;
	stacked_count = stacked_records = 0;
	self.free_records = self.free_record_count = 0;
	self.beside = (struct magazine){ 0 };
	partial = true;
}
