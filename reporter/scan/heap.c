#include "reporter/scan/heap.h"

#include <string.h>

#include "platform/sys.h"
#include "reporter/scan/pages.h"

/* malloc/malloc.c of glibc: the size in front of a block, with flags in its low bits; the same since 2.3. */
#define CHUNK_HEADER ((uint64_t)16)
#define CHUNK_MAPPED ((uint64_t)2)
#define CHUNK_OF_ARENA ((uint64_t)4) /* of one that is not the main one */
#define CHUNK_FLAGS ((uint64_t)7)
#define ARENA_BYTES ((uint64_t)64 << 20)

/* Blocks of another allocator that are farther apart than this have something else between them, perhaps. */
#define NEAR_BYTES ((uint64_t)4 << 20)

/* Where the kernel began the heap; without randomisation the program's own data ends there, in the same mapping. */
static uint64_t break_start(void)
{
	char line[1024];
	if (sys_read_file("/proc/thread-self/stat", line, sizeof line) < 0)
		return 0;
	const char *at = strrchr(line, ')');
	/* Field 47; the one behind the name is number 3. */
	for (int field = 2; at && field < 47; field++)
		at = strchr(at + 1, ' ');
	uint64_t value = 0;
	for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

#define HEADERS_AHEAD ((uint64_t)16)

struct heap {
	const struct maps *maps;
	struct ranges *ranges;
	uint64_t break_start;
	bool of_libc;
	struct range near; /* blocks of one mapping that lie near to each other, so far */
};

static void add_near(struct heap *heap, uint64_t start, uint64_t end)
{
	const struct map *map = maps_find(heap->maps, start);
	start &= ~(PAGE_BYTES - 1);
	end = (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	struct range *near = &heap->near;
	if (map && near->end && near->start >= map->start && start < near->end + NEAR_BYTES) {
		near->end = MAX_OF(near->end, end);
		return;
	}
	ranges_add(heap->ranges, near->start, near->end);
	*near = (struct range){ start, end };
}

/* A block of libc's allocator. Return: false: it does not look like one. */
static bool add_chunk(struct heap *heap, struct block *block)
{
	const uint64_t *header = (const uint64_t *)(block->start - CHUNK_HEADER);
	uint64_t size = header[1] & ~CHUNK_FLAGS;
	uint64_t overhead = header[1] & CHUNK_MAPPED ? CHUNK_HEADER : CHUNK_HEADER / 2;
	if (block->start % 16 || size < block->bytes + overhead)
		return false;
	uint64_t slack = size - overhead - block->bytes;
	block->slack = slack <= UINT16_MAX ? slack : 0;
	if (header[1] & CHUNK_MAPPED) {
		ranges_add(heap->ranges, block->start - CHUNK_HEADER - header[0],
			   block->start - CHUNK_HEADER + size);
		return true;
	}
	const struct map *map = maps_find(heap->maps, block->start);
	if (header[1] & CHUNK_OF_ARENA) {
		uint64_t arena = block->start & ~(ARENA_BYTES - 1);
		ranges_add(heap->ranges, arena, arena + ARENA_BYTES);
		return true;
	}
	if (!map || !(map->flags & MAP_BREAK))
		return false;
	ranges_add(heap->ranges,
		   MAX_OF(map->start, MIN_OF(heap->break_start, block->start & ~(PAGE_BYTES - 1))), map->end);
	return true;
}

/*
 * Other allocators: up to the next multiple of 8, which is jemalloc's and tcmalloc's smallest size
 * class. Others may be farther apart, but behind the block a free one may begin, which the
 * allocator's own lists point to.
 */
static void guess_slack(struct block *block)
{
	uint64_t end = (block->start + block->bytes + 7) & ~UINT64_C(7);
	block->slack = end - block->start - block->bytes;
}

/* Never into the next block: a pointer there is that one's. */
static void trim_slack(struct block *block, uint64_t next)
{
	if (block->start + block->bytes + block->slack > next)
		block->slack = next > block->start + block->bytes ? next - block->start - block->bytes : 0;
}

void heap_measure(struct blocks *blocks, const struct maps *maps, const struct ranges *readable, bool of_libc,
		  struct ranges *ret_heap)
{
	struct heap heap = { .maps = maps, .ranges = ret_heap, .of_libc = of_libc };
	heap.break_start = of_libc ? break_start() : 0;
	struct range good = { 0, 0 };
	for (uint64_t i = 0; i < blocks->count; i++) {
		struct block *block = &blocks->at[i];
		/* Each header is in a cache line of its own. */
		if (i + HEADERS_AHEAD < blocks->count)
			__builtin_prefetch((const char *)blocks->at[i + HEADERS_AHEAD].start - CHUNK_HEADER);
		/* Both go upward; most blocks lie in the readable piece that the last one lay in. */
		if (block->start >= good.end &&
		    !ranges_next(readable, block->start - CHUNK_HEADER, UINT64_MAX, &good))
			good = (struct range){ 0, 0 };
		bool header_readable = block->start - CHUNK_HEADER >= good.start && block->start < good.end;
		if (!of_libc || !header_readable || !add_chunk(&heap, block)) {
			guess_slack(block);
			add_near(&heap, block->start, block->start + block_extent(block));
		}
		if (i + 1 < blocks->count)
			trim_slack(block, blocks->at[i + 1].start);
		if (block->start < good.start || block->start + block_extent(block) > good.end)
			block->flags |= BLOCK_HOLES;
	}
	ranges_add(ret_heap, heap.near.start, heap.near.end);
}
