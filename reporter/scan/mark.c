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
	if (UNLIKELY(mark->seen)) {
		mark->seen(mark, number, 0);
		return;
	}
	if (block->flags & BLOCK_REACHED)
		return;
	block->flags |= BLOCK_REACHED;
	mark->reached_bytes += block->bytes;
	mark->pending[mark->pending_count++] = number;
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

/* -- the usual words, in queues ---------------------------------------------- */

/* Third: the block's entry is there. */
static void find_block(struct mark *mark, uint64_t word, uint32_t first)
{
	const struct blocks *blocks = mark->blocks;
	uint32_t found = BLOCK_NONE;
	/* As blocks_find does. */
	for (uint64_t i = first; i < blocks->count && blocks->at[i].start <= word; i++)
		if (word - blocks->at[i].start < block_reach(&blocks->at[i]))
			found = (uint32_t)i;
	if (found != BLOCK_NONE)
		mark_block(mark, found);
}

/* Second: the index is there. */
static void look_up(struct mark *mark, uint64_t word)
{
	const struct blocks *blocks = mark->blocks;
	uint32_t first = *blocks_index_of(blocks, word);
	if (!first)
		return;
	first--;
	__builtin_prefetch(&blocks->at[first]);
	__builtin_prefetch(&blocks->at[first + 2]);
	struct mark_word *place = &mark->at_entry[mark->entry_turn++ % MARK_QUEUE];
	struct mark_word leaving = *place;
	*place = (struct mark_word){ .word = word, .first = first, .used = true };
	if (leaving.used)
		find_block(mark, leaving.word, leaving.first);
}

/* First: it is a number that could be an address in the heap. */
static inline void enter(struct mark *mark, uint64_t word)
{
	const struct blocks *blocks = mark->blocks;
	if (LIKELY(word - blocks->low >= blocks->span) || !blocks->regions[word >> BLOCKS_REGION_SHIFT])
		return;
	__builtin_prefetch(blocks_index_of(blocks, word));
	struct mark_word *place = &mark->at_index[mark->index_turn++ % MARK_QUEUE];
	struct mark_word leaving = *place;
	*place = (struct mark_word){ .word = word, .used = true };
	if (leaving.used)
		look_up(mark, leaving.word);
}

/* Empties both queues. */
static void drain(struct mark *mark)
{
	for (unsigned i = 0; i < MARK_QUEUE; i++) {
		struct mark_word *place = &mark->at_index[mark->index_turn++ % MARK_QUEUE];
		struct mark_word leaving = *place;
		place->used = false;
		if (leaving.used)
			look_up(mark, leaving.word);
	}
	for (unsigned i = 0; i < MARK_QUEUE; i++) {
		struct mark_word *place = &mark->at_entry[mark->entry_turn++ % MARK_QUEUE];
		struct mark_word leaving = *place;
		place->used = false;
		if (leaving.used)
			find_block(mark, leaving.word, leaving.first);
	}
}

/* Those of the program may be in the queues afterwards. */
static void read_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	const struct blocks *blocks = mark->blocks;
	count_words(mark, count);
	if (LIKELY(of == MARK_OF_PROGRAM)) {
		for (uint64_t i = 0; i < count; i++)
			enter(mark, words[i]);
		for (uint64_t i = 0; UNLIKELY(mark->mask) && i < count; i++)
			enter(mark, (words[i] & mark->mask) ^ mark->exclusive);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint32_t found = blocks_find(blocks, words[i]);
		if (found != BLOCK_NONE && !is_bookkeeping(&blocks->at[found], words[i], of))
			mark_block(mark, found);
	}
}

/* For who wants to know of each word that leads somewhere; the same words count. */
static void tell_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	const struct blocks *blocks = mark->blocks;
	count_words(mark, count);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t found = blocks_find(blocks, words[i]);
		if (UNLIKELY(found == BLOCK_NONE && mark->mask))
			found = blocks_find(blocks, (words[i] & mark->mask) ^ mark->exclusive);
		if (LIKELY(found == BLOCK_NONE))
			continue;
		if (of == MARK_OF_PROGRAM || !is_bookkeeping(&blocks->at[found], words[i], of))
			mark->seen(mark, found, (uint64_t)(uintptr_t)&words[i] + mark->shift);
	}
}

void mark_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	if (UNLIKELY(mark->seen)) {
		tell_words(mark, words, count, of);
		return;
	}
	read_words(mark, words, count, of);
	drain(mark);
}

/* -- blocks -------------------------------------------------------------------- */

static void read_block(struct mark *mark, uint32_t block)
{
	const struct blocks *blocks = mark->blocks;
	struct block_cursor cursor = block_cursor_at(block);
	bool stream = blocks->at[block].flags & BLOCK_RESOURCE;
	while (block_cursor_run(blocks, &cursor) && !mark->expired)
		read_words(mark, cursor.words, cursor.left, stream ? MARK_OF_STREAM : MARK_OF_PROGRAM);
}

/*
 * The next to be read. Its entry, and then the block itself, were fetched some blocks ago. BLOCK_NONE: none is pending, but
 * something may be in the queues.
 */
static uint32_t next_to_read(struct mark *mark)
{
	const struct block *blocks = mark->blocks->at;
	for (unsigned i = 0; i < 2 * MARK_QUEUE; i++) {
		unsigned turn = mark->read_turn++ % MARK_QUEUE;
		uint32_t read = mark->to_read[turn], fetch = mark->to_fetch[turn], entry = 0;
		if (mark->pending_count) {
			entry = mark->pending[--mark->pending_count] + 1;
			__builtin_prefetch(&blocks[entry - 1]);
		}
		if (fetch) {
			const char *start = (const char *)blocks[fetch - 1].start;
			__builtin_prefetch(start);
			__builtin_prefetch(start + 64);
		}
		mark->to_fetch[turn] = entry;
		mark->to_read[turn] = fetch;
		if (read)
			return read - 1;
	}
	return BLOCK_NONE;
}

static bool anything_to_read(const struct mark *mark)
{
	for (unsigned i = 0; i < MARK_QUEUE; i++)
		if (mark->to_fetch[i] || mark->to_read[i])
			return true;
	return mark->pending_count;
}

void mark_run(struct mark *mark)
{
	while (!mark->expired) {
		uint32_t block = next_to_read(mark);
		if (LIKELY(block != BLOCK_NONE)) {
			read_block(mark, block);
			continue;
		}
		drain(mark);
		if (!anything_to_read(mark))
			return;
	}
}
