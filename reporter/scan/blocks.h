/*
 * The live blocks of a heap as the scan sees them: sorted by address, with an
 * index that finds the block that any address points into.
 *
 *   address ──▶ region (64 MiB) ──▶ granule (512 bytes) ──▶ first block that reaches into it ──▶ a few steps on
 *
 * The index costs 4 bytes a granule of the heap and a look-up two or three cache misses. What
 * lies in no region is told in one, so nearly every word that is no pointer costs a compare or two.
 *
 * One owner, no locking: the program does not run meanwhile. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_BLOCKS_H
#define WH_REPORTER_SCAN_BLOCKS_H

#include "base/context.h"
#include "base/types.h"

struct pages;
struct ranges;

enum block_flag {
	BLOCK_REACHED = 1,   /* the program can get at it, or it counts as if it could */
	BLOCK_ROOT = 2,      /* the loader's or libc's own: never lost */
	BLOCK_RESOURCE = 4,  /* the handle of an open resource (a FILE, a DIR) starts here */
	BLOCK_HOLES = 8,     /* not all of it may be read: see block_cursor_run */
	BLOCK_ON_PATH = 16,  /* used by group.c */
	BLOCK_LEFT_OUT = 32, /* used by paths.c: not to be gone through */
	BLOCK_TARGET = 64,   /* used by why.c: what is asked about */
};

struct block {
	uint64_t start;
	uint64_t bytes : 48; /* as asked for */
	uint64_t slack : 16; /* bytes behind them that the program may use too (malloc_usable_size) */
	site_id site;
	uint32_t thread : 20; /* thread_id, its low bits */
	uint32_t flags : 12;  /* enum block_flag */
};

#define BLOCK_NONE UINT32_MAX
#define BLOCKS_MOST ((uint64_t)1 << 31)

struct blocks {
	struct block *at;
	uint64_t count, room;
	uint64_t low, span; /* every block lies in [low, low + span) */
	uint32_t **regions; /* by address >> BLOCKS_REGION_SHIFT; NULL: no block in it */
	site_id sites;      /* one more than the highest site */
	bool failed;        /* memory ran out, or blocks came out of order: judge nothing */
	/* What of a block with BLOCK_HOLES may be read; set by the scan, may be NULL: all of it. */
	const struct ranges *readable;
	/* Whether pages of large blocks are worth reading; may be NULL: all are. See pages.h. */
	struct pages *pages;
};

#define BLOCKS_REGION_SHIFT 26
#define BLOCKS_GRANULE_SHIFT 9
#define BLOCKS_TOP_ENTRIES ((uint64_t)1 << (47 - BLOCKS_REGION_SHIFT))
#define BLOCKS_REGION_ENTRIES ((uint64_t)1 << (BLOCKS_REGION_SHIFT - BLOCKS_GRANULE_SHIFT))

/* Appends a block; its address is above all before it. Nonsense sets `failed`. */
void blocks_add(struct blocks *blocks, const struct block *block);

/* Makes the index; after it, only sites, threads and flags may change. */
void blocks_index(struct blocks *blocks);

void blocks_release(struct blocks *blocks);

/* Bytes that a pointer may point into: those that were asked for. A block of 0 bytes has one. */
static inline uint64_t block_reach(const struct block *block)
{
	return block->bytes ? block->bytes : 1;
}

/*
 * Bytes that are read for pointers: what the allocator gave. Who points behind what it asked for points to
 * no part of the block but behind its end, which keeps nothing alive.
 */
static inline uint64_t block_extent(const struct block *block)
{
	uint64_t bytes = block->bytes + block->slack;
	return bytes ? bytes : 1;
}

/* The index's entry for `address`, which lies in a region that has one. */
static inline const uint32_t *blocks_index_of(const struct blocks *blocks, uint64_t address)
{
	return &blocks->regions[address >> BLOCKS_REGION_SHIFT]
			       [(address >> BLOCKS_GRANULE_SHIFT) & (BLOCKS_REGION_ENTRIES - 1)];
}

/*
 * The block that `address` points into, not behind; BLOCK_NONE: none. Of blocks that lie one in the
 * other (a free that was not seen) the inner one.
 */
static inline uint32_t blocks_find(const struct blocks *blocks, uint64_t address)
{
	if (address - blocks->low >= blocks->span)
		return BLOCK_NONE;
	const uint32_t *region = blocks->regions[address >> BLOCKS_REGION_SHIFT];
	if (!region)
		return BLOCK_NONE;
	uint32_t first = region[(address >> BLOCKS_GRANULE_SHIFT) & (BLOCKS_REGION_ENTRIES - 1)];
	if (!first)
		return BLOCK_NONE;
	uint32_t found = BLOCK_NONE;
	for (uint64_t i = first - 1; i < blocks->count && blocks->at[i].start <= address; i++)
		if (address - blocks->at[i].start < block_reach(&blocks->at[i]))
			found = (uint32_t)i;
	return found;
}

/* A place in a block, for those who read it word by word and must be able to stop in the middle. */
struct block_cursor {
	const uint64_t *words; /* next to be read; `left` of them may be read */
	uint64_t left;
	uint64_t offset; /* of what follows them in the block, bytes */
	uint32_t block;
};

/* At the start of block number `block`. */
static inline struct block_cursor block_cursor_at(uint32_t block)
{
	return (struct block_cursor){ .block = block };
}

/*
 * Moves to the next run of words that may be read and may hold pointers: aligned ones only, as
 * compilers place them. Return: false: there is none.
 */
bool block_cursor_run(const struct blocks *blocks, struct block_cursor *cursor);

/* The next block that a word from here on points into, itself included; BLOCK_NONE at the end. */
static inline uint32_t block_cursor_next(const struct blocks *blocks, struct block_cursor *cursor)
{
	do {
		while (cursor->left) {
			cursor->left--;
			uint32_t found = blocks_find(blocks, *cursor->words++);
			if (found != BLOCK_NONE)
				return found;
		}
	} while (block_cursor_run(blocks, cursor));
	return BLOCK_NONE;
}

#endif
