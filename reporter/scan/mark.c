#include "reporter/scan/mark.h"

#include <errno.h>

#include "platform/sys.h"
#include "reporter/scan/memory.h"

int mark_init(struct mark *mark, struct blocks *blocks, nsec_t deadline)
{
	*mark = (struct mark){ .blocks = blocks, .deadline = deadline };
	/* Each block is pending once at the most. */
	mark->pending = memory_array(blocks->count, sizeof *mark->pending);
	return mark->pending ? 0 : -ENOMEM;
}

void mark_release(struct mark *mark)
{
	if (mark->pending)
		memory_free(mark->pending, mark->blocks->count, sizeof *mark->pending);
	*mark = (struct mark){ 0 };
}

void mark_block(struct mark *mark, uint32_t number)
{
	struct block *block = &mark->blocks->at[number];
	if (block->flags & BLOCK_REACHED)
		return;
	block->flags |= BLOCK_REACHED;
	mark->reached_bytes += block->bytes;
	mark->pending[mark->pending_count++] = number;
	/* It is read soon, and rarely in the cache. */
	__builtin_prefetch((const void *)block->start);
}

void mark_word(struct mark *mark, uint64_t word)
{
	uint32_t found = blocks_find(mark->blocks, word);
	if (found != BLOCK_NONE)
		mark_block(mark, found);
}

/* Words between two looks at the clock: some milliseconds' worth. */
#define WORDS_PER_LOOK ((uint64_t)1 << 20)

static void count_words(struct mark *mark, uint64_t count)
{
	uint64_t before = mark->read_words;
	mark->read_words += count;
	if (UNLIKELY(before / WORDS_PER_LOOK != mark->read_words / WORDS_PER_LOOK) && mark->deadline &&
	    sys_monotonic() > mark->deadline)
		mark->expired = true;
}

static bool is_bookkeeping(const struct block *block, uint64_t word, enum mark_of of)
{
	if (block->flags & BLOCK_RESOURCE && block->start == word)
		return true;
	/* Where libc's allocator notes the chunk behind a block. Blocks of 8 bytes are another allocator's. */
	return of == MARK_OF_LIBC && word % 16 == 0 && word != block->start &&
	       word == block->start + block_extent(block) - 8;
}

void mark_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	const struct blocks *blocks = mark->blocks;
	count_words(mark, count);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t found = blocks_find(blocks, words[i]);
		if (LIKELY(found == BLOCK_NONE))
			continue;
		if (UNLIKELY(of != MARK_OF_PROGRAM) && is_bookkeeping(&blocks->at[found], words[i], of))
			continue;
		mark_block(mark, found);
	}
}

void mark_run(struct mark *mark)
{
	const struct blocks *blocks = mark->blocks;
	while (mark->pending_count && !mark->expired) {
		struct block_cursor cursor = block_cursor_at(mark->pending[--mark->pending_count]);
		bool stream = blocks->at[cursor.block].flags & BLOCK_RESOURCE;
		while (block_cursor_run(blocks, &cursor) && !mark->expired)
			mark_words(mark, cursor.words, cursor.left,
				   stream ? MARK_OF_STREAM : MARK_OF_PROGRAM);
	}
}
