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

/*
 * Sets slack and BLOCK_HOLES of every block, and adds the allocator's memory to `ret_heap` (not sorted). `readable`
 * is what may be read of the address space. `of_libc`: the blocks come from libc's allocator.
 */
void heap_measure(struct blocks *blocks, const struct maps *maps, const struct ranges *readable, bool of_libc,
		  struct ranges *ret_heap);

#endif
