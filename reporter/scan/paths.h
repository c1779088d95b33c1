/*
 * Paths: for each block, the word that leads to it on a shortest way from a root. The same
 * roots and the same words as when marking (mark.h), but breadth first, and with a note of where one
 * came from: 4 bytes a block for that, 8 for the queue, 24 for each block that a root leads to.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_PATHS_H
#define WH_REPORTER_SCAN_PATHS_H

#include "reporter/scan/mark.h"

/* A block that a root leads to, and the root. */
struct path_root {
	uint64_t place; /* of the word; 0: in no memory */
	uint64_t start; /* of the block */
	uint32_t block;
	uint32_t rank;
};

struct paths {
	struct mark mark; /* to give to who goes through the roots */
	/* How good a root is as an answer, at the same distance; the highest wins. NULL: the first one. */
	uint32_t (*rank)(uint64_t place, void *data);
	void *data;
	uint32_t *
	    from; /* by block: 0: not reached; number + 1 of the block that leads to it; PATH_ROOT | of the root */
	uint64_t *queue; /* starts of blocks */
	uint64_t head, tail;
	struct path_root *roots;
	uint64_t root_count, root_room;
	uint32_t reading; /* the block whose words are read; BLOCK_NONE: roots are */
	uint64_t reached_blocks, reached_bytes;
	bool failed; /* memory ran out */
};

#define PATH_ROOT ((uint32_t)1 << 31)

/* Return: 0 or -ENOMEM. `blocks` has been indexed. Blocks with BLOCK_LEFT_OUT are as if they were not there. */
int paths_init(struct paths *paths, struct blocks *blocks, nsec_t deadline);
void paths_release(struct paths *paths);

/*
 * Once the roots have been gone through with paths->mark: finds the ways to all the rest. Return: 0, -ENOMEM, or
 * -ETIMEDOUT.
 */
int paths_find(struct paths *paths);

/* Whether anything leads to a block. */
static inline bool paths_reach(const struct paths *paths, uint32_t block)
{
	return paths->from[block] != 0;
}

/* The root that a reached block is reached by itself; NULL: another block leads to it. */
static inline const struct path_root *paths_root(const struct paths *paths, uint32_t block)
{
	uint32_t from = paths->from[block];
	return from & PATH_ROOT ? &paths->roots[from & ~PATH_ROOT] : NULL;
}

/*
 * The block that leads to one that has no root itself, where that starts, and *ret_place: the word in it (0: it has
 * changed).
 */
uint32_t paths_holder(const struct paths *paths, uint32_t block, uint64_t *ret_start, uint64_t *ret_place);

#endif
