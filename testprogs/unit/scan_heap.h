/*
 * A heap built by hand for tests of the scan: blocks of words in one array, at the
 * addresses that they really have, so that pointers between them are pointers.
 */
#ifndef TESTPROGS_UNIT_SCAN_HEAP_H
#define TESTPROGS_UNIT_SCAN_HEAP_H

#include <check.h>
#include <string.h>

#include "reporter/scan/blocks.h"
#include "reporter/scan/group.h"
#include "reporter/scan/mark.h"

#define HEAP_BLOCKS 64u
#define HEAP_WORDS 8u /* a block; the last is never part of it, so that nobody points there by mistake */

struct heap_of_test {
	_Alignas(64) uint64_t words[HEAP_BLOCKS][HEAP_WORDS];
	struct blocks blocks;
};

static inline uint64_t heap_address(const struct heap_of_test *heap, unsigned block)
{
	return (uint64_t)(uintptr_t)heap->words[block];
}

/* `count` blocks of `bytes` bytes each and some slack, all of site 1. */
static inline void heap_build_slack(struct heap_of_test *heap, unsigned count, unsigned bytes, unsigned slack)
{
	blocks_release(&heap->blocks);
	memset(heap, 0, sizeof *heap);
	for (unsigned i = 0; i < count; i++) {
		struct block block = {
			.start = heap_address(heap, i), .bytes = bytes, .slack = slack, .site = 1
		};
		blocks_add(&heap->blocks, &block);
	}
	blocks_index(&heap->blocks);
	ck_assert(!heap->blocks.failed);
}

static inline void heap_build(struct heap_of_test *heap, unsigned count, unsigned bytes)
{
	heap_build_slack(heap, count, bytes, 0);
}

/* Word `word` of block `from` points to byte `offset` of block `to`. */
static inline void heap_point(struct heap_of_test *heap, unsigned from, unsigned word, unsigned to,
			      unsigned offset)
{
	heap->words[from][word] = heap_address(heap, to) + offset;
}

static inline bool heap_reached(const struct heap_of_test *heap, unsigned block)
{
	return heap->blocks.at[block].flags & BLOCK_REACHED;
}

/* Marks from `root`, BLOCK_NONE: from nothing. */
static inline void heap_mark(struct heap_of_test *heap, uint64_t root)
{
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &heap->blocks, 0), 0);
	mark_words(&mark, &root, 1, MARK_OF_PROGRAM);
	mark_run(&mark);
	mark_release(&mark);
}

#endif
