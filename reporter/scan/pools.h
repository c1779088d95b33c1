/*
 * Blocks of the program's own pools (registry/pool.h) in an image: blocks like any others, but in memory that is something else's.
 * What lies around one, mostly a block of malloc's, is read without them, so that they are reached by who points to them and
 * not because the pool's memory is; and is itself reached where one of them is.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_POOLS_H
#define WH_REPORTER_SCAN_POOLS_H

#include "reporter/scan/image.h"

/* Where they start, ascending, for who goes through all blocks by address. */
struct pools {
	uint64_t *starts;
	uint64_t count, room, next;
	bool failed; /* memory ran out */
};

/* All that are known, where whatever could lead to them is known as well. */
void pools_begin(struct pools *pools, const struct image *image);
void pools_release(struct pools *pools);

/*
 * Appends those that start below `end` to the image's blocks. What starts at `taken` is left out: it is found by the
 * address of the block around it.
 */
void pools_add(struct pools *pools, struct image *image, uint64_t end, uint64_t taken);

/* Whether the next one starts below `end`. */
static inline bool pools_reach(const struct pools *pools, uint64_t end)
{
	return pools->next < pools->count && pools->starts[pools->next] < end;
}

/* Those that lie in no memory of an allocator's: they are no roots, although what they lie in is. */
void pools_each_outside(const struct image *image, void (*each)(uint64_t start, uint64_t end, void *data),
			void *data);

/*
 * Once everything has been marked: those are not accused that are lost only with the memory around them, or
 * that lie in memory of an allocator's which is nobody's any more.
 */
void pools_settle(struct image *image);

#endif
