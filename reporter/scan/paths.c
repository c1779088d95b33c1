#include "reporter/scan/paths.h"

#include <errno.h>

#include "reporter/scan/memory.h"

static void seen(struct mark *mark, uint32_t block, uint64_t place);

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

static void reach(struct paths *paths, uint32_t block, uint32_t from)
{
	paths->from[block] = from;
	paths->queue[paths->tail++] = block;
	paths->reached_blocks++;
	paths->reached_bytes += paths->mark.blocks->at[block].bytes;
}

static void seen_in_roots(struct paths *paths, uint32_t block, uint64_t place)
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
	roots[paths->root_count] = (struct path_root){ .place = place, .block = block, .rank = rank };
	reach(paths, block, PATH_ROOT | (uint32_t)paths->root_count++);
}

static void seen(struct mark *mark, uint32_t block, uint64_t place)
{
	struct paths *paths = (struct paths *)((char *)mark - offsetof(struct paths, mark));
	if (UNLIKELY(mark->blocks->at[block].flags & BLOCK_LEFT_OUT))
		return;
	if (paths->reading == BLOCK_NONE)
		seen_in_roots(paths, block, place);
	else if (!paths->from[block])
		reach(paths, block, paths->reading + 1);
}

static enum mark_of what_of(const struct blocks *blocks, uint32_t block)
{
	return blocks->at[block].flags & BLOCK_RESOURCE ? MARK_OF_STREAM : MARK_OF_PROGRAM;
}

int paths_find(struct paths *paths)
{
	const struct blocks *blocks = paths->mark.blocks;
	while (paths->head < paths->tail && !paths->mark.expired) {
		struct block_cursor cursor = block_cursor_at(paths->queue[paths->head++]);
		/* The ones behind it are read soon, and rarely in the cache. */
		if (paths->head + 4 < paths->tail)
			__builtin_prefetch((const void *)blocks->at[paths->queue[paths->head + 4]].start);
		paths->reading = cursor.block;
		while (block_cursor_run(blocks, &cursor) && !paths->mark.expired)
			mark_words(&paths->mark, cursor.words, cursor.left, what_of(blocks, cursor.block));
	}
	paths->reading = BLOCK_NONE;
	return paths->failed ? -ENOMEM : paths->mark.expired ? -ETIMEDOUT : 0;
}

uint32_t paths_holder(const struct paths *paths, uint32_t block, uint64_t *ret_place)
{
	const struct blocks *blocks = paths->mark.blocks;
	uint32_t holder = paths->from[block] - 1;
	struct block_cursor cursor = block_cursor_at(holder);
	*ret_place = 0;
	while (block_cursor_run(blocks, &cursor))
		for (uint64_t i = 0; i < cursor.left; i++)
			if (blocks_find(blocks, cursor.words[i]) == block) {
				/* cppcheck-suppress autoVariables; the words are of the image, not of the cursor */
				*ret_place = (uint64_t)(uintptr_t)&cursor.words[i];
				return holder;
			}
	return holder;
}
