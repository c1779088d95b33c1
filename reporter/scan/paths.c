#include "reporter/scan/paths.h"

#include <errno.h>

#include "reporter/scan/chunk.h"
#include "reporter/scan/memory.h"

static void seen(struct mark *mark, uint32_t block, uint64_t start, uint64_t place);

int paths_init(struct paths *paths, struct blocks *blocks, nsec_t deadline)
{
	*paths = (struct paths){
		.mark = { .blocks = blocks, .deadline = deadline, .seen = seen },
		.reading = BLOCK_NONE,
	};
	paths->from = memory_array(blocks->count, sizeof *paths->from);
	paths->queue = memory_array(blocks->count, sizeof *paths->queue);
	return paths->from && paths->queue ? 0 : -ENOMEM;
}

void paths_release(struct paths *paths)
{
	uint64_t count = paths->mark.blocks->count;
	memory_free(paths->from, count, sizeof *paths->from);
	memory_free(paths->queue, count, sizeof *paths->queue);
	memory_free(paths->roots, paths->root_room, sizeof *paths->roots);
	*paths = (struct paths){ 0 };
}

static void reach(struct paths *paths, uint32_t block, uint64_t start, uint32_t from)
{
	paths->from[block] = from;
	paths->queue[paths->tail++] = start;
	paths->reached_blocks++;
}

static void seen_in_roots(struct paths *paths, uint32_t block, uint64_t start, uint64_t place)
{
	uint32_t rank = paths->rank ? paths->rank(place, paths->data) : 0;
	if (paths->from[block]) {
		struct path_root *known = &paths->roots[paths->from[block] & ~PATH_ROOT];
		if (rank > known->rank) {
			known->place = place;
			known->rank = rank;
		}
		return;
	}
	struct path_root *roots =
	    memory_grow(paths->roots, paths->root_count, &paths->root_room, sizeof *roots);
	if (!roots) {
		paths->failed = true;
		return;
	}
	paths->roots = roots;
	roots[paths->root_count] = (struct path_root){
		.place = place,
		.start = start,
		.block = block,
		.rank = rank,
	};
	reach(paths, block, start, PATH_ROOT | (uint32_t)paths->root_count++);
}

/* As when marking: who has a block of a pool has what it lies in. */
static void reach_around(struct paths *paths, uint32_t block, uint64_t start)
{
	const struct blocks *blocks = paths->mark.blocks;
	while (blocks_flags(blocks, block) & BLOCK_POOL) {
		uint64_t around_start;
		uint32_t around = blocks_find_around(blocks, start, &around_start);
		if (around == BLOCK_NONE || paths->from[around])
			return;
		reach(paths, around, around_start, block + 1);
		block = around;
		start = around_start;
	}
}

static void seen(struct mark *mark, uint32_t block, uint64_t start, uint64_t place)
{
	struct paths *paths = (struct paths *)((char *)mark - offsetof(struct paths, mark));
	if (UNLIKELY(blocks_flags(mark->blocks, block) & BLOCK_LEFT_OUT))
		return;
	if (paths->reading == BLOCK_NONE)
		seen_in_roots(paths, block, start, place);
	else if (!paths->from[block])
		reach(paths, block, start, paths->reading + 1);
	if (UNLIKELY(blocks_flags(mark->blocks, block) & BLOCK_POOL) && paths->from[block])
		reach_around(paths, block, start);
}

/* Those behind the one that is read are read soon, and rarely in the cache. */
static void fetch_ahead(const struct paths *paths)
{
	const struct blocks *blocks = paths->mark.blocks;
	for (unsigned step = 0; step < 2; step++) {
		uint64_t at = paths->head + 8 - step * 4;
		if (at >= paths->tail)
			continue;
		__builtin_prefetch((const char *)paths->queue[at] - CHUNK_HEADER / 2);
		if (blocks->fetch)
			blocks->fetch(paths->queue[at], step);
	}
}

int paths_find(struct paths *paths)
{
	const struct blocks *blocks = paths->mark.blocks;
	while (paths->head < paths->tail && !paths->mark.expired) {
		uint64_t start = paths->queue[paths->head++];
		uint32_t block = block_line_last(blocks, blocks_line(blocks, start), start, &start);
		enum mark_of of =
		    blocks_flags(blocks, block) & BLOCK_RESOURCE ? MARK_OF_STREAM : MARK_OF_PROGRAM;
		struct block_cursor cursor = block_cursor_at(blocks, block, start);
		fetch_ahead(paths);
		/* Here, and not when it is reached: what is known of it has been fetched by now. */
		struct block read = { .start = start };
		if (blocks->known(&read))
			paths->reached_bytes += read.bytes;
		paths->reading = block;
		while (block_cursor_run(blocks, &cursor) && !paths->mark.expired)
			mark_words(&paths->mark, cursor.words, cursor.left, of);
	}
	paths->reading = BLOCK_NONE;
	return paths->failed ? -ENOMEM : paths->mark.expired ? -ETIMEDOUT : 0;
}

uint32_t paths_holder(const struct paths *paths, uint32_t block, uint64_t *ret_start, uint64_t *ret_place)
{
	const struct blocks *blocks = paths->mark.blocks;
	uint32_t holder = paths->from[block] - 1;
	*ret_start = blocks_start(blocks, holder);
	*ret_place = 0;
	struct block_cursor cursor = block_cursor_at(blocks, holder, *ret_start);
	while (block_cursor_run(blocks, &cursor))
		for (uint64_t i = 0; i < cursor.left; i++)
			if (blocks_find(blocks, cursor.words[i]) == block) {
				/* cppcheck-suppress autoVariables; the words are of the image, not of the cursor */
				*ret_place = (uint64_t)(uintptr_t)&cursor.words[i];
				return holder;
			}
	return holder;
}
