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
	_Alignas(64) uint64_t in_front[HEAP_WORDS];
	uint64_t words[HEAP_BLOCKS][HEAP_WORDS];
	struct block at[HEAP_BLOCKS]; /* what is known of each */
	struct blocks blocks;
};

/* What is known of blocks, by ascending address. */
static const struct block *facts;
static uint64_t fact_count;

static inline bool facts_known(struct block *block)
{
	uint64_t from = 0, to = fact_count;
	while (from < to) {
		uint64_t middle = (from + to) / 2;
		if (facts[middle].start < block->start)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == fact_count || facts[from].start != block->start)
		return false;
	block->bytes = facts[from].bytes;
	block->site = facts[from].site;
	block->thread = facts[from].thread;
	block->flags = facts[from].flags & BLOCK_POOL;
	return true;
}

/* Enters `count` blocks, which must stay where they are. What is told of each is looked up there. */
static inline void facts_enter_units(struct blocks *blocks, const struct block *at, uint64_t count,
				     unsigned unit_shift)
{
	blocks->known = facts_known;
	facts = at;
	fact_count = count;
	blocks_begin(blocks, unit_shift);
	for (uint64_t i = 0; i < count; i++)
		blocks_add(blocks, &at[i]);
	blocks_index(blocks);
}

static inline void facts_enter(struct blocks *blocks, const struct block *at, uint64_t count)
{
	facts_enter_units(blocks, at, count, BLOCKS_UNIT_USUAL);
}

static inline uint64_t heap_address(const struct heap_of_test *heap, unsigned block)
{
	return (uint64_t)(uintptr_t)heap->words[block];
}

/* `count` blocks of `bytes` bytes each, all of site 1; with headers as glibc's allocator has them, or without. */
static inline void heap_build_of(struct heap_of_test *heap, unsigned count, unsigned bytes, bool of_libc)
{
	blocks_release(&heap->blocks);
	memset(heap, 0, sizeof *heap);
	for (unsigned i = 0; i < count; i++) {
		heap->at[i] = (struct block){ .start = heap_address(heap, i), .bytes = bytes, .site = 1 };
	}
	for (unsigned i = 0; i < count && of_libc; i++)
		(i ? heap->words[i - 1] : heap->in_front)[HEAP_WORDS - 1] = sizeof heap->words[i] | 1;
	heap->blocks.of_libc = of_libc;
	facts_enter(&heap->blocks, heap->at, count);
	ck_assert(!heap->blocks.failed);
}

static inline void heap_build(struct heap_of_test *heap, unsigned count, unsigned bytes)
{
	heap_build_of(heap, count, bytes, false);
}

/* Word `word` of block `from` points to byte `offset` of block `to`. */
static inline void heap_point(struct heap_of_test *heap, unsigned from, unsigned word, unsigned to,
			      unsigned offset)
{
	heap->words[from][word] = heap_address(heap, to) + offset;
}

static inline bool heap_reached(const struct heap_of_test *heap, unsigned block)
{
	return blocks_flags(&heap->blocks, block) & BLOCK_REACHED;
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
