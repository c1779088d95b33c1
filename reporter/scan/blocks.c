#include "reporter/scan/blocks.h"

#include "reporter/scan/memory.h"
#include "reporter/scan/pages.h"
#include "reporter/scan/ranges.h"

#define ADDRESS_END ((uint64_t)1 << 47)

static bool makes_sense(const struct blocks *blocks, const struct block *block)
{
	if (blocks->count == BLOCKS_MOST || block->start >= ADDRESS_END ||
	    block->bytes >= ADDRESS_END - block->start)
		return false;
	return !blocks->count || blocks->at[blocks->count - 1].start < block->start;
}

void blocks_add(struct blocks *blocks, const struct block *block)
{
	struct block *at = NULL;
	if (makes_sense(blocks, block))
		at = memory_grow(blocks->at, blocks->count, &blocks->room, sizeof *at);
	if (!at) {
		blocks->failed = true;
		return;
	}
	blocks->at = at;
	at[blocks->count++] = *block;
	if (block->site >= blocks->sites)
		blocks->sites = block->site + 1;
}

/* Enters block number `i` in each granule that nothing before it reaches into. */
static bool index_block(struct blocks *blocks, uint64_t i)
{
	const struct block *block = &blocks->at[i];
	uint64_t granule = block->start >> BLOCKS_GRANULE_SHIFT;
	uint64_t last = (block->start + block_extent(block) - 1) >> BLOCKS_GRANULE_SHIFT;
	for (; granule <= last; granule++) {
		uint32_t **region = &blocks->regions[granule >> (BLOCKS_REGION_SHIFT - BLOCKS_GRANULE_SHIFT)];
		if (!*region && !(*region = memory_array(BLOCKS_REGION_ENTRIES, sizeof **region)))
			return false;
		uint32_t *entry = &(*region)[granule & (BLOCKS_REGION_ENTRIES - 1)];
		if (!*entry)
			*entry = (uint32_t)i + 1;
	}
	return true;
}

void blocks_index(struct blocks *blocks)
{
	if (blocks->failed || !blocks->count)
		return;
	blocks->regions = memory_array(BLOCKS_TOP_ENTRIES, sizeof *blocks->regions);
	if (!blocks->regions) {
		blocks->failed = true;
		return;
	}
	uint64_t end = 0;
	for (uint64_t i = 0; i < blocks->count; i++) {
		end = MAX_OF(end, blocks->at[i].start + block_extent(&blocks->at[i]));
		if (!index_block(blocks, i)) {
			blocks->failed = true;
			return;
		}
	}
	blocks->low = blocks->at[0].start;
	blocks->span = end - blocks->low;
}

void blocks_release(struct blocks *blocks)
{
	if (blocks->regions) {
		uint64_t from = blocks->count ? blocks->at[0].start >> BLOCKS_REGION_SHIFT : 0;
		for (uint64_t i = from; i < BLOCKS_TOP_ENTRIES && blocks->count; i++) {
			if (blocks->regions[i])
				memory_free(blocks->regions[i], BLOCKS_REGION_ENTRIES, sizeof(uint32_t));
			if (i << BLOCKS_REGION_SHIFT > blocks->low + blocks->span)
				break;
		}
		memory_free(blocks->regions, BLOCKS_TOP_ENTRIES, sizeof *blocks->regions);
	}
	memory_free(blocks->at, blocks->room, sizeof *blocks->at);
	*blocks = (struct blocks){ 0 };
}

/* Blocks from this size on are asked for pages that were never touched. */
#define LARGE_BYTES ((uint64_t)1 << 20)

bool block_cursor_run(const struct blocks *blocks, struct block_cursor *cursor)
{
	const struct block *block = &blocks->at[cursor->block];
	uint64_t end = block->start + block->bytes + block->slack;
	uint64_t from = (block->start + cursor->offset + 7) & ~UINT64_C(7);
	while (from + 8 <= end) {
		struct range run = { from, end };
		if (UNLIKELY(block->flags & BLOCK_HOLES) && blocks->readable &&
		    !ranges_next(blocks->readable, run.start, run.end, &run))
			break;
		if (UNLIKELY(run.end - run.start >= LARGE_BYTES) && blocks->pages) {
			uint64_t behind = run.end;
			if (!pages_next_run(blocks->pages, run.start, run.end, PAGES_ANY, &run)) {
				from = behind;
				continue;
			}
		}
		run.start = (run.start + 7) & ~UINT64_C(7);
		if (run.start + 8 > run.end) {
			from = (run.end + 7) & ~UINT64_C(7);
			continue;
		}
		cursor->words = (const uint64_t *)run.start;
		cursor->left = (run.end - run.start) / 8;
		cursor->offset = run.end - block->start;
		return true;
	}
	cursor->offset = end - block->start;
	return false;
}
