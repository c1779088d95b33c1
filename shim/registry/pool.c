/*
 * A reader that walks without the lock (a copy of the process, in which whoever had it never goes on) meets tables that are
 * whole: a block is linked once its record is filled in, and unlinked by one store.
 */
#include "registry/pool.h"

#include <string.h>

#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/count.h"
#include "registry/recording.h"

struct pool_block {
	uint64_t address; /* 0: the record is free */
	uint64_t size;
	site_id site;
	uint32_t born;
	uint32_t thread;
	stack_id freed; /* where it was given back; 0: it is live */
	uint32_t freed_by;
	uint32_t next; /* number of the next with that line, or of the next free record; 0: none */
};

#define ADDRESS_END (UINT64_C(1) << 47)
#define BLOCKS_MOST ((uint64_t)1 << 24)
#define LINE_SHIFT 8
#define LINES ((uint64_t)1 << 22)

static struct {
	struct lock lock;
	struct pool_block *blocks; /* NULL: none was ever told of */
	uint32_t *lines;           /* number of the first */
	uint64_t room, line_count;
	uint32_t used; /* records that were ever taken, and one: 0 is none */
	uint32_t free;
	bool refused; /* there is no address space */
	bool missed;  /* something was not entered, and what is known may be untrue */
} pools;

static bool tables_make(void)
{
	if (pools.blocks || pools.refused)
		return pools.blocks;
	pools.room = BLOCKS_MOST / sys_address_thrift();
	pools.line_count = LINES / sys_address_thrift();
	struct pool_block *blocks = sys_pages_lazy(pools.room * sizeof *blocks);
	pools.lines = blocks ? sys_pages_lazy(pools.line_count * sizeof *pools.lines) : NULL;
	if (!pools.lines) {
		if (blocks)
			sys_pages_free(blocks, pools.room * sizeof *blocks);
		pools.refused = true;
		return false;
	}
	pools.used = 1;
	__atomic_store_n(&pools.blocks, blocks, __ATOMIC_RELEASE);
	return true;
}

/* Lines next to each other are next to each other here, but where they lie gigabytes apart. */
static uint32_t *line_of(uint64_t address)
{
	uint64_t line = address >> LINE_SHIFT;
	return &pools.lines[(line + (line >> 22) * 40503) % pools.line_count];
}

static struct pool_block *find(uint64_t address)
{
	uint32_t number = __atomic_load_n(line_of(address), __ATOMIC_ACQUIRE);
	for (uint32_t steps = 0; number && steps < pools.used; steps++) {
		struct pool_block *block = &pools.blocks[number];
		if (block->address == address)
			return block;
		number = block->next;
	}
	return NULL;
}

static struct pool_block *add(uint64_t address)
{
	uint32_t number = pools.free;
	if (!number && pools.used == pools.room)
		return NULL;
	if (!number)
		number = pools.used++;
	else
		pools.free = pools.blocks[number].next;
	struct pool_block *block = &pools.blocks[number];
	uint32_t *line = line_of(address);
	*block = (struct pool_block){ .address = address, .freed = UINT32_MAX, .next = *line };
	__atomic_store_n(line, number, __ATOMIC_RELEASE);
	return block;
}

static void end(struct pool_block *block, stack_id stack)
{
	if (!block->freed)
		count_within(block->site, block->size, COUNT_FREED);
	block->freed = stack ? stack : UINT32_MAX;
}

static void clear_line(uint64_t address, uint64_t start, uint64_t bytes)
{
	uint32_t *link = line_of(address);
	while (*link) {
		struct pool_block *block = &pools.blocks[*link];
		if (block->address - start >= bytes) {
			link = &block->next;
			continue;
		}
		uint32_t number = *link;
		end(block, 0);
		__atomic_store_n(link, block->next, __ATOMIC_RELEASE);
		block->address = 0;
		block->next = pools.free;
		pools.free = number;
	}
}

/* Memory with more lines than there are blocks is gone through block by block. */
static void clear(uint64_t start, uint64_t bytes)
{
	if (bytes >> LINE_SHIFT < pools.used) {
		for (uint64_t at = start; at < start + bytes; at = (at | ((1u << LINE_SHIFT) - 1)) + 1)
			clear_line(at, start, bytes);
		return;
	}
	for (uint32_t i = 1; i < pools.used; i++) {
		uint64_t address = pools.blocks[i].address;
		if (address && address - start < bytes)
			clear_line(address, start, bytes);
	}
}

/* -- the memory around them ---------------------------------------------------- */

/*
 * Looking for the block that an address lies in goes down the windows of the map one by one. So for each piece of memory that
 * lately had one it is known where that begins; or, for a while, that there is none.
 */
#define PIECE_SHIFT 16
#define PIECES 256u
#define HOST_REACH (UINT64_C(64) << 20)
#define ASK_AGAIN 256u

static struct piece {
	uint64_t place;
	uint64_t host; /* where the block begins; 0: there was none */
	uint32_t left; /* then: for so many times more nobody looks again */
} pieces[PIECES];

static bool covers(const struct allocation *host, uint64_t address)
{
	return address - host->address < host->size;
}

/* The block of malloc's around that address is to tell when it goes. */
static void mark_host(uint64_t address)
{
	struct allocation host;
	struct piece *piece = &pieces[(address >> PIECE_SHIFT) % PIECES];
	bool is_known = piece->place == address >> PIECE_SHIFT;
	if (is_known && !piece->host && piece->left--)
		return;
	if (is_known && piece->host && allocation_find((const void *)(uintptr_t)piece->host, &host) &&
	    covers(&host, address)) {
		if (!(host.flags & ALLOCATION_POOL))
			allocation_mark_pool(host.address);
		return;
	}
	*piece = (struct piece){ .place = address >> PIECE_SHIFT, .left = ASK_AGAIN };
	if (allocation_around(address, HOST_REACH, &host)) {
		piece->host = host.address;
		allocation_mark_pool(host.address);
	}
}

unsigned pool_resized(const struct allocation *was, uint64_t now, uint64_t bytes)
{
	if (now != was->address) {
		pool_clear(was->address, was->size);
		return 0;
	}
	if (bytes < was->size)
		pool_clear(now + bytes, was->size - bytes);
	return ALLOCATION_POOL;
}

/* -- what is told --------------------------------------------------------------- */

void pool_missed(void)
{
	__atomic_store_n(&pools.missed, true, __ATOMIC_RELAXED);
}

static bool lock_tables(void)
{
	if (lock_take(&pools.lock))
		return true;
	pool_missed();
	return false;
}

static uint32_t own_thread(void)
{
	const struct rec_thread *slot = self.slot;
	return slot ? slot->id & ALLOCATION_THREADS : 0;
}

static void enter(uint64_t hidden, uint64_t size, stack_id stack)
{
	clear(~hidden, MAX_OF(size, UINT64_C(1)));
	struct pool_block *block = add(~hidden);
	if (!block) {
		__atomic_fetch_add((uint64_t *)&recording->dropped_events, 1, __ATOMIC_RELAXED);
		return;
	}
	block->size = size;
	block->site = count_site(stack);
	block->born = __atomic_load_n((uint32_t *)&recording->era, __ATOMIC_RELAXED);
	block->thread = own_thread();
	count_within(block->site, size, COUNT_MADE);
	__atomic_store_n(&block->freed, 0, __ATOMIC_RELEASE);
	mark_host(~hidden);
}

/* Whether a program may have it all: what is unmapped may be any number. */
static bool is_range(uint64_t start, uint64_t bytes)
{
	return start < ADDRESS_END && bytes < ADDRESS_END - start;
}

void pool_begin(uint64_t hidden, uint64_t size, stack_id stack)
{
	/* Nonsense would end all that there is. */
	if (!is_range(~hidden, size) || !lock_tables())
		return;
	if (tables_make())
		enter(hidden, size, stack);
	lock_release(&pools.lock);
}

enum pool_was pool_end(uint64_t address, stack_id stack, struct pool_freed *ret_before)
{
	enum pool_was was = POOL_UNKNOWN;
	if (!pool_any() || !lock_tables())
		return was;
	struct pool_block *block = find(address);
	if (block && block->freed) {
		was = POOL_FREED;
		*ret_before = (struct pool_freed){
			.site = block->site,
			.stack = block->freed == UINT32_MAX ? 0 : block->freed,
			.thread = block->freed_by,
			.made_by = block->thread,
		};
	} else if (block) {
		was = POOL_LIVE;
		end(block, stack);
		block->freed_by = own_thread();
		if (block->size > 1)
			clear(address + 1, block->size - 1);
	}
	lock_release(&pools.lock);
	return was;
}

void pool_clear(uint64_t start, uint64_t bytes)
{
	if (!bytes || !is_range(start, bytes) || !pool_any() || !lock_tables())
		return;
	clear(start, bytes);
	lock_release(&pools.lock);
}

/* -- what is asked --------------------------------------------------------------- */

bool pool_any(void)
{
	return __atomic_load_n(&pools.blocks, __ATOMIC_ACQUIRE);
}

static bool describe(const struct pool_block *block, struct allocation *into)
{
	*into = (struct allocation){
		.address = block->address,
		.size = block->size,
		.site = block->site,
		.born = block->born,
		.thread = block->thread,
	};
	return into->address && !__atomic_load_n(&block->freed, __ATOMIC_ACQUIRE);
}

bool pool_find(uint64_t address, struct allocation *ret_allocation)
{
	const struct pool_block *block = pool_any() ? find(address) : NULL;
	return block && describe(block, ret_allocation);
}

void pool_each(bool (*each)(const struct allocation *block, void *data), void *data)
{
	uint32_t used = pool_any() ? __atomic_load_n(&pools.used, __ATOMIC_ACQUIRE) : 0;
	struct allocation block;
	for (uint32_t i = 1; i < used; i++)
		if (describe(&pools.blocks[i], &block) && !each(&block, data))
			return;
}

uint64_t pool_count(void)
{
	return pool_any() && !pools.missed ? pools.used - 1 : 0;
}

void pool_fork_child(void)
{
	if (pools.blocks) {
		sys_pages_free(pools.blocks, pools.room * sizeof *pools.blocks);
		sys_pages_free(pools.lines, pools.line_count * sizeof *pools.lines);
	}
	memset(&pools, 0, sizeof pools);
	memset(pieces, 0, sizeof pieces);
}
