/*
 * The live blocks of a heap as the scan sees them: where each of them starts, as bits over addresses,
 * and a number for each, ascending with them.
 *
 *   address ──▶ region (64 MiB) ──▶ line (64 units of 16 bytes) ──▶ the last start at or below it, and its number
 *
 * A heap that takes gigabytes is searched with a few per cent of it: 16 bytes for each line of 1 KiB, and one byte of
 * flags a block. How long a block is and who made it is not copied: whoever recorded it is asked (`known`), which costs two
 * misses of the cache, and is hardly ever needed, since a word that is a block's start needs no length to be told.
 * Where blocks lie 8 bytes apart, units are of 8 bytes. Large blocks are in a list of their own and take no line for each KiB.
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
	BLOCK_REACHED = 1,  /* the program can get at it, or it counts as if it could */
	BLOCK_ROOT = 2,     /* the loader's or libc's own: never lost */
	BLOCK_RESOURCE = 4, /* the handle of an open resource (a FILE, a DIR) starts here */
	BLOCK_HOLES = 8,    /* not all of it may be read, or is its own: see block_cursor_run */
	BLOCK_READ = 16,    /* used by mark.c: it has been read, or is about to be */
	BLOCK_LEFT_OUT =
	    32, /* used by paths.c: not to be gone through; by ghosts.c: one of libc's, to be read last */
	BLOCK_TARGET = 64, /* used by why.c: what is asked about */
	BLOCK_POOL = 128,  /* one of a pool's, in memory that is something else's: see pools.h */
};

/* What is known of a block. */
struct block {
	uint64_t start;
	uint64_t bytes; /* as asked for */
	uint64_t slack; /* bytes behind them that the program may use too (malloc_usable_size) */
	site_id site;
	uint32_t thread; /* thread_id, its low 20 bits */
	uint32_t flags;  /* enum block_flag, of blocks_add alone, see blocks_flags; of `known` BLOCK_POOL */
};

#define BLOCK_NONE UINT32_MAX
#define BLOCKS_MOST ((uint64_t)1 << 31)

/* 64 units of address. */
struct block_line {
	uint64_t starts; /* bit by unit: a block starts in it */
	uint32_t first;  /* number of the first that does; nothing where none does */
	uint32_t
	    back; /* so many lines before this one starts the first block that reaches into it; 0: none does */
};

struct block_region {
	uint32_t place; /* address >> BLOCKS_REGION_SHIFT */
	uint32_t first; /* number of the first block in it; BLOCK_NONE: no block starts there */
};

struct block_large {
	uint64_t start, end;
	uint32_t number;
};

/* A block that was added with flags. */
struct block_noted {
	uint64_t start;
	uint32_t number;
	uint32_t flags;
};

/* Bytes, site, thread and BLOCK_POOL of the block that starts at block->start. Return: false: there is none. */
typedef bool blocks_known(struct block *block);

struct blocks {
	uint64_t count;
	uint64_t bytes;              /* of all of them, as asked for */
	uint64_t low, span;          /* every block lies in [low, low + span) */
	uint8_t *flags;              /* by number: enum block_flag; there after blocks_index */
	struct block_line **regions; /* by address >> BLOCKS_REGION_SHIFT; NULL: no block in it */
	unsigned unit_shift;         /* 4, or 3: units of 8 bytes */
	site_id sites;               /* one more than the highest site */
	bool failed;                 /* memory ran out, or blocks came out of order: judge nothing */
	bool too_near; /* a block starts where no unit does: to be made again with unit_shift 3 */
	bool of_libc;  /* glibc's headers are in front of them: see chunk.h */
	blocks_known *known;
	/* Fetches for `known`, in two steps; may be NULL. */
	void (*fetch)(uint64_t start, unsigned step);
	/* What of a block with BLOCK_HOLES may be read; set by the scan, may be NULL: all of it. */
	const struct ranges *readable;
	/* Whether pages of large blocks are worth reading; may be NULL: all are. See pages.h. */
	struct pages *pages;
	struct block_noted *noted; /* those that were added with flags */
	uint64_t noted_count;
	/* private */
	struct block_region *made;
	struct block_large *large;
	struct block_line *blank; /* the region of those that only large blocks reach into */
	uint64_t made_count, made_room, large_count, large_room, noted_room, newest;
};

/* unit_shift: glibc's blocks and most others'; and where some lie nearer to each other. */
#define BLOCKS_UNIT_USUAL 4u
#define BLOCKS_UNIT_SMALL 3u

#define BLOCKS_REGION_SHIFT 26
#define BLOCKS_REGION_BYTES ((uint64_t)1 << BLOCKS_REGION_SHIFT)
#define BLOCKS_TOP_ENTRIES ((uint64_t)1 << (47 - BLOCKS_REGION_SHIFT))
#define BLOCKS_LARGE_BYTES ((uint64_t)64 << 10)

/* Ready for blocks; `known` and what else is the caller's has been set. */
void blocks_begin(struct blocks *blocks, unsigned unit_shift);
/* Appends a block; its address is above all before it. Nonsense sets `failed`. `slack` is of no matter. */
void blocks_add(struct blocks *blocks, const struct block *block);
/* All are there. */
void blocks_index(struct blocks *blocks);
void blocks_release(struct blocks *blocks);

static inline unsigned blocks_flags(const struct blocks *blocks, uint32_t number)
{
	return blocks->flags[number];
}

static inline void blocks_flag(struct blocks *blocks, uint32_t number, enum block_flag flag)
{
	blocks->flags[number] |= (uint8_t)flag;
}

/* What C++ has in front of an array whose elements have destructors: how many there are. */
#define BLOCKS_ARRAY_COUNT_BYTES 8u

/*
 * Bytes that a pointer may point into: those that were asked for. A block of 0 bytes has one; and one that may be an array of no
 * elements is known by the address behind their number.
 */
static inline uint64_t block_reach(const struct block *block)
{
	return block->bytes && block->bytes != BLOCKS_ARRAY_COUNT_BYTES ? block->bytes : block->bytes + 1;
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

/* -- one block ----------------------------------------------------------------- */

/* All that is known of the block that starts at `start`, but for its flags. */
struct block blocks_look(const struct blocks *blocks, uint64_t start);

/*
 * The block that `address` points into, not behind, but for one that may be a header; BLOCK_NONE: none. Of blocks that lie one in the
 * other (a free that was not seen) the inner one.
 */
uint32_t blocks_find_start(const struct blocks *blocks, uint64_t address, uint64_t *ret_start);

static inline uint32_t blocks_find(const struct blocks *blocks, uint64_t address)
{
	uint64_t start;
	return blocks_find_start(blocks, address, &start);
}

/* The innermost block around the one that starts at `start`; BLOCK_NONE: none. */
uint32_t blocks_find_around(const struct blocks *blocks, uint64_t start, uint64_t *ret_start);

/* Where block `number` starts. Some dozens of steps: not for each of them. */
uint64_t blocks_start(const struct blocks *blocks, uint32_t number);

/* The line of an address, which lies in a region that has lines. */
static inline struct block_line *blocks_line(const struct blocks *blocks, uint64_t address)
{
	uint64_t offset = address & (BLOCKS_REGION_BYTES - 1);
	return &blocks->regions[address >> BLOCKS_REGION_SHIFT][offset >> (blocks->unit_shift + 6)];
}

static inline unsigned bits_in(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/*
 * The last block that starts in the line of `address` at or below it, wherever it ends; BLOCK_NONE: none does.
 */
static inline uint32_t block_line_last(const struct blocks *blocks, const struct block_line *line,
				       uint64_t address, uint64_t *ret_start)
{
	unsigned unit = (unsigned)(address >> blocks->unit_shift) & 63;
	uint64_t below = line->starts & UINT64_MAX >> (63 - unit);
	if (!below)
		return BLOCK_NONE;
	unsigned last = 63 - (unsigned)__builtin_clzll(below);
	*ret_start = (((address >> blocks->unit_shift) & ~UINT64_C(63)) + last) << blocks->unit_shift;
	return line->first + bits_in(below) - 1;
}

/*
 * Bytes that may be used of a block of glibc's, where its header and the block behind it agree about its end, so that there is no
 * doubt; 0: not known. Nobody else has to be asked then.
 */
uint64_t blocks_usable(const struct blocks *blocks, uint64_t start);

/* -- all of them ------------------------------------------------------------------ */

struct block_walk {
	uint64_t start; /* of the present block */
	uint32_t number;
	/* private */
	uint32_t next;
	uint64_t region; /* in `made`; downward, one more */
	uint64_t line;   /* in the region: behind the present one; downward, the present one */
	uint64_t left;   /* bits of the present one */
};

/* Moves to the next block in order of address; a walk of zeros begins with the first. Return: false: there is none. */
bool blocks_next(const struct blocks *blocks, struct block_walk *walk);

/* The same downward. A walk is for one direction. */
struct block_walk blocks_end(const struct blocks *blocks);
bool blocks_previous(const struct blocks *blocks, struct block_walk *walk);

/* -- what is in one ---------------------------------------------------------------- */

/* A place in a block, for those who read it word by word and must be able to stop in the middle. */
struct block_cursor {
	const uint64_t *words; /* next to be read; `left` of them may be read */
	uint64_t left;
	uint64_t from, end; /* what follows them in the block */
	uint64_t start;
	bool holes;
	bool
	    whole; /* set by who wants it: with the blocks of pools that lie in it, which else are left out */
};

/* At the start of block `number`, which is at `start`. */
struct block_cursor block_cursor_at(const struct blocks *blocks, uint32_t number, uint64_t start);

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
