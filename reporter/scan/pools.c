#include "reporter/scan/pools.h"

#include "base/sort.h"
#include "registry/allocation.h"
#include "registry/pool.h"
#include "reporter/scan/memory.h"

static bool before(const void *a, const void *b, void *data)
{
	(void)data;
	return *(const uint64_t *)a < *(const uint64_t *)b;
}

/*
 * What does not begin where a pointer would is not looked at by itself; nor is what a pool has forgotten in memory that was
 * unmapped.
 */
static bool collect(const struct allocation *block, void *data)
{
	struct pools *pools = data;
	if (block->address % 8)
		return true;
	if (pools->count == pools->room) {
		pools->failed = true;
		return false;
	}
	pools->starts[pools->count++] = block->address;
	return true;
}

void pools_begin(struct pools *pools, const struct image *image)
{
	*pools = (struct pools){ .room = image->heap_partial ? 0 : pool_count() };
	if (!pools->room)
		return;
	pools->starts = memory_array(pools->room, sizeof *pools->starts);
	if (!pools->starts) {
		pools->failed = true;
		return;
	}
	pool_each(collect, pools);
	sort_items(pools->starts, pools->count, sizeof *pools->starts, before, NULL);
}

void pools_release(struct pools *pools)
{
	memory_free(pools->starts, pools->room, sizeof *pools->starts);
	*pools = (struct pools){ 0 };
}

static void add(struct image *image, uint64_t start)
{
	struct allocation known;
	struct range piece;
	if (!pool_find(start, &known) || !ranges_next(&image->readable, start, start + 1, &piece))
		return;
	struct block block = {
		.start = start,
		.bytes = known.size,
		.site = known.site,
		.thread = known.thread,
		.flags = BLOCK_POOL | BLOCK_HOLES,
	};
	blocks_add(&image->blocks, &block);
}

void pools_add(struct pools *pools, struct image *image, uint64_t end, uint64_t taken)
{
	for (; pools_reach(pools, end) && !image->blocks.failed; pools->next++)
		if (pools->starts[pools->next] != taken)
			add(image, pools->starts[pools->next]);
}

void pools_each_outside(const struct image *image, void (*each)(uint64_t start, uint64_t end, void *data),
			void *data)
{
	const struct blocks *blocks = &image->blocks;
	for (uint64_t i = 0; i < blocks->noted_count; i++) {
		const struct block_noted *noted = &blocks->noted[i];
		if (!(noted->flags & BLOCK_POOL) || ranges_hold(&image->heap, noted->start))
			continue;
		struct block block = blocks_look(blocks, noted->start);
		each(block.start, block.start + block_extent(&block), data);
	}
}

/* From the last to the first: what lies in a block that lies in another is asked about while that one's mark still is what it was. */
void pools_settle(struct image *image)
{
	struct blocks *blocks = &image->blocks;
	for (uint64_t i = blocks->noted_count; i-- > 0;) {
		const struct block_noted *noted = &blocks->noted[i];
		if (!(noted->flags & BLOCK_POOL) || blocks_flags(blocks, noted->number) & BLOCK_REACHED)
			continue;
		uint64_t start;
		uint32_t around = blocks_find_around(blocks, noted->start, &start);
		bool excused = around == BLOCK_NONE ? ranges_hold(&image->heap, noted->start)
						    : !(blocks_flags(blocks, around) & BLOCK_REACHED);
		if (excused)
			blocks_flag(blocks, noted->number, BLOCK_REACHED);
	}
}
