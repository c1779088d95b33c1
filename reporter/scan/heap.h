/*
 * What of the memory is the allocator's: there, live blocks alone are looked at,
 * and only once something points to them. Free chunks hold what was in them
 * before, and would keep half of the lost blocks alive.
 *
 * libc's own allocator is told by the flags in front of each of its chunks. For
 * any other one the memory from the first to the last block counts, as far as
 * blocks lie near to each other in one mapping.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_HEAP_H
#define WH_REPORTER_SCAN_HEAP_H

#include "reporter/scan/blocks.h"
#include "reporter/scan/maps.h"
#include "reporter/scan/ranges.h"

struct heap {
	const struct maps *maps;
	const struct ranges *readable; /* what may be read of the address space */
	bool of_libc;                  /* the blocks come from libc's allocator */
	struct ranges *ranges;         /* what has been found to be the allocator's; not sorted */
	/* private */
	uint64_t break_start;
	struct range arena; /* the newest one of libc's that a block lay in */
	struct range near;  /* blocks of one mapping that lie near to each other, so far */
	struct range good;  /* the readable piece that the newest block lay in */
};

/* The members above `private` have been set. */
void heap_begin(struct heap *heap);
/* Blocks by ascending address. Sets BLOCK_HOLES in its flags where not all of it may be read, or what is in front of it. */
void heap_add(struct heap *heap, struct block *block);
void heap_end(struct heap *heap);

#endif
