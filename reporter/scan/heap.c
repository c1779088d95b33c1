#include "reporter/scan/heap.h"

#include <string.h>

#include "platform/process.h"
#include "platform/sys.h"
#include "reporter/scan/chunk.h"
#include "reporter/scan/pages.h"

#define ARENA_BYTES ((uint64_t)64 << 20)

/* Blocks of another allocator that are farther apart than this have something else between them, perhaps. */
#define NEAR_BYTES ((uint64_t)4 << 20)

/* Where the kernel began the heap; without randomisation the program's own data ends there, in the same mapping. */
static uint64_t break_start(void)
{
	char line[1024];
	if (sys_read_file("/proc/thread-self/stat", line, sizeof line) < 0)
		return 0;
	return process_stat_field(line, 47);
}

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
static bool add_chunk(struct heap *heap, const struct block *block)
{
	/* Its memory is known by one of its blocks; mapped ones lie in no arena. */
	if (block->start >= heap->arena.start && block->start < heap->arena.end)
		return true;
	struct chunk chunk = chunk_of(block->start);
	if (block->start % CHUNK_HEADER || chunk.usable < block->bytes)
		return false;
	if (chunk.flags & CHUNK_MAPPED) {
		uint64_t start = block->start - CHUNK_HEADER;
		ranges_add(heap->ranges, start - chunk.before, start + chunk.size);
		return true;
	}
	const struct map *map = maps_find(heap->maps, block->start);
	struct range arena;
	if (chunk.flags & CHUNK_OF_ARENA) {
		arena.start = block->start & ~(ARENA_BYTES - 1);
		arena.end = arena.start + ARENA_BYTES;
	} else if (map && map->flags & MAP_BREAK) {
		arena.start = MAX_OF(map->start, MIN_OF(heap->break_start, block->start & ~(PAGE_BYTES - 1)));
		arena.end = map->end;
	} else {
		return false;
	}
	ranges_add(heap->ranges, arena.start, arena.end);
	heap->arena = arena;
	return true;
}

void heap_begin(struct heap *heap)
{
	heap->break_start = heap->of_libc ? break_start() : 0;
	heap->arena = heap->near = heap->good = (struct range){ 0, 0 };
}

void heap_add(struct heap *heap, struct block *block)
{
	/* Both go upward; most blocks lie in the readable piece that the last one lay in. */
	const uint64_t start = block->start - CHUNK_HEADER, end = block->start + block->bytes;
	struct range *good = &heap->good;
	if (end > good->end && !ranges_next(heap->readable, start, UINT64_MAX, good))
		*good = (struct range){ 0, 0 };
	bool header_readable = start >= good->start && block->start < good->end;
	if (!heap->of_libc || !header_readable || !add_chunk(heap, block))
		add_near(heap, block->start, MAX_OF(end, block->start + 1));
	if (!header_readable || end + CHUNK_SLACK_MOST > good->end)
		block->flags |= BLOCK_HOLES;
}

void heap_end(struct heap *heap)
{
	ranges_add(heap->ranges, heap->near.start, heap->near.end);
}
