#include "reporter/scan/mark.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "platform/sys.h"
#include "reporter/scan/chunk.h"
#include "reporter/scan/extents.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/numbers.h"

/* One entry for so many blocks. More would be read at random. */
#define BLOCKS_PER_PENDING 64u
#define PENDING_LEAST ((uint64_t)4096)

int mark_init(struct mark *mark, struct blocks *blocks, nsec_t deadline)
{
	*mark = (struct mark){ .blocks = blocks, .deadline = deadline };
	mark->pending_room = PENDING_LEAST;
	while (mark->pending_room < blocks->count / BLOCKS_PER_PENDING)
		mark->pending_room *= 2;
	mark->pending = memory_array(mark->pending_room, sizeof *mark->pending);
	return mark->pending ? 0 : -ENOMEM;
}

void mark_release(struct mark *mark)
{
	memory_free(mark->pending, mark->pending_room, sizeof *mark->pending);
	*mark = (struct mark){ 0 };
}

static void put_pending(struct mark *mark, uint32_t number, uint64_t start)
{
	uint64_t at = (mark->pending_first + mark->pending_count++) & (mark->pending_room - 1);
	mark->pending[at] = (struct mark_pending){ start, number, true };
	blocks_flag(mark->blocks, number, BLOCK_READ);
}

static void reach(struct mark *mark, uint32_t number, uint64_t start);

/* Whoever has a block of a pool has the pool's memory: it can't be lost. */
static NOINLINE void reach_around(struct mark *mark, uint64_t start)
{
	uint64_t around_start;
	uint32_t around = blocks_find_around(mark->blocks, start, &around_start);
	if (around != BLOCK_NONE)
		reach(mark, around, around_start);
}

static void reach(struct mark *mark, uint32_t number, uint64_t start)
{
	struct blocks *blocks = mark->blocks;
	if (UNLIKELY(mark->seen || mark->seek)) {
		if (mark->seen)
			mark->seen(mark, number, start, 0);
		return;
	}
	unsigned flags = blocks_flags(blocks, number);
	if (flags & BLOCK_REACHED)
		return;
	blocks_flag(blocks, number, BLOCK_REACHED);
	if (UNLIKELY(flags & BLOCK_POOL))
		reach_around(mark, start);
	if (UNLIKELY(mark->count_bytes))
		mark->reached_bytes += blocks_look(blocks, start).bytes;
	if (!mark->sweeping && mark->pending_count < mark->pending_room)
		put_pending(mark, number, start);
	else
		mark->waiting++;
}

static inline bool keeps(const struct mark *mark, uint32_t number, uint64_t start, uint64_t word)
{
	return LIKELY(!mark->accepts) || word == start ||
	       mark->accepts(mark->blocks, number, start, word, mark->accepts_data);
}

void mark_word(struct mark *mark, uint64_t word)
{
	if (UNLIKELY(mark->seek)) {
		mark->seek(mark, &word, 1, MARK_OF_PROGRAM);
		return;
	}
	if (UNLIKELY(mark->extents))
		extents_look(mark->extents, &word, 1);
	uint64_t start;
	uint32_t found = blocks_find_start(mark->blocks, word, &start);
	if (found != BLOCK_NONE && keeps(mark, found, start, word))
		reach(mark, found, start);
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

/*
 * Each open stream is linked to the next by that one's start and, from glibc 2.41 on, back to the one before by where
 * that one's link lies.
 */
#define CHAIN_LINK offsetof(struct _IO_FILE, _chain)

bool mark_is_bookkeeping(const struct blocks *blocks, uint32_t number, uint64_t start, uint64_t word,
			 enum mark_of of)
{
	if (blocks_flags(blocks, number) & BLOCK_RESOURCE && (word == start || word == start + CHAIN_LINK))
		return true;
	/* Where libc's allocator notes the chunk behind a block. Blocks of 8 bytes are another allocator's. */
	if (of != MARK_OF_LIBC || word % 16 || word == start)
		return false;
	struct block block = blocks_look(blocks, start);
	return word == start + block_extent(&block) - 8;
}

/* -- the usual words, in queues ---------------------------------------------- */

/* Puts one in, and takes the one out that has been there for longest; its `word` is 0 where there is none. */
static inline struct mark_word queue_turn(struct mark_queue *queue, struct mark_word entering)
{
	struct mark_word *place = &queue->at[queue->turn++ % MARK_QUEUE];
	struct mark_word leaving = *place;
	*place = entering;
	return leaving;
}

/* Last: the record of the block is there. */
static void find_block(struct mark *mark, struct mark_word word)
{
	if (word.word)
		mark_word(mark, word.word);
}

/* Third, of words that point into a block: its header is there, and perhaps says enough. */
static void look_inside(struct mark *mark, struct mark_word word)
{
	const struct blocks *blocks = mark->blocks;
	if (!word.word)
		return;
	if (word.number != BLOCK_NONE && !(blocks_flags(blocks, word.number) & BLOCK_HOLES) &&
	    word.word - word.start + CHUNK_SLACK_MOST <= blocks_usable(blocks, word.start)) {
		if (keeps(mark, word.number, word.start, word.word))
			reach(mark, word.number, word.start);
		return;
	}
	if (word.number != BLOCK_NONE && blocks->fetch)
		blocks->fetch(word.start, 1);
	find_block(mark, queue_turn(&mark->in_record, word));
}

/* Second: the line is there. */
static void look_up(struct mark *mark, struct mark_word word)
{
	const struct blocks *blocks = mark->blocks;
	if (!word.word)
		return;
	const struct block_line *line = blocks_line(blocks, word.word);
	word.number = block_line_last(blocks, line, word.word, &word.start);
	if (LIKELY(word.start == word.word)) {
		__builtin_prefetch(&blocks->flags[word.number]);
		struct mark_word leaving = queue_turn(&mark->at_flags, word);
		if (leaving.word)
			reach(mark, leaving.number, leaving.start);
		return;
	}
	if (word.number != BLOCK_NONE) {
		if (blocks->of_libc)
			__builtin_prefetch((const char *)word.start - CHUNK_HEADER / 2);
		if (blocks->fetch)
			blocks->fetch(word.start, 0);
	} else if (!line->back && !blocks->large_count) {
		return;
	}
	look_inside(mark, queue_turn(&mark->inside, word));
}

/* First: it is a number that could be an address in the heap. */
static inline void enter(struct mark *mark, uint64_t word)
{
	const struct blocks *blocks = mark->blocks;
	if (LIKELY(word - blocks->low >= blocks->span) || !blocks->regions[word >> BLOCKS_REGION_SHIFT])
		return;
	__builtin_prefetch(blocks_line(blocks, word));
	look_up(mark, queue_turn(&mark->at_line, (struct mark_word){ .word = word }));
}

/* Empties all queues. */
static void drain(struct mark *mark)
{
	const struct mark_word none = { 0 };
	for (unsigned i = 0; i < MARK_QUEUE; i++)
		look_up(mark, queue_turn(&mark->at_line, none));
	for (unsigned i = 0; i < MARK_QUEUE; i++) {
		struct mark_word leaving = queue_turn(&mark->at_flags, none);
		if (leaving.word)
			reach(mark, leaving.number, leaving.start);
		look_inside(mark, queue_turn(&mark->inside, none));
	}
	for (unsigned i = 0; i < MARK_QUEUE; i++)
		find_block(mark, queue_turn(&mark->in_record, none));
}

/* Those of the program may be in the queues afterwards. */
static void read_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	const struct blocks *blocks = mark->blocks;
	count_words(mark, count);
	if (UNLIKELY(mark->numbers && of != MARK_OF_LIBC))
		numbers_look(mark->numbers, words, count);
	if (UNLIKELY(mark->extents))
		extents_look(mark->extents, words, count);
	if (LIKELY(of == MARK_OF_PROGRAM)) {
		for (uint64_t i = 0; i < count; i++)
			enter(mark, words[i]);
		for (uint64_t i = 0; UNLIKELY(mark->mask) && i < count; i++)
			enter(mark, (words[i] & mark->mask) ^ mark->exclusive);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start;
		uint32_t found = blocks_find_start(blocks, words[i], &start);
		if (found != BLOCK_NONE && keeps(mark, found, start, words[i]) &&
		    !mark_is_bookkeeping(blocks, found, start, words[i], of))
			reach(mark, found, start);
	}
}

/* For who wants to know of each word that leads somewhere; the same words count. */
static void tell_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	const struct blocks *blocks = mark->blocks;
	count_words(mark, count);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start;
		uint32_t found = blocks_find_start(blocks, words[i], &start);
		if (UNLIKELY(found == BLOCK_NONE && mark->mask))
			found = blocks_find_start(blocks, (words[i] & mark->mask) ^ mark->exclusive, &start);
		if (LIKELY(found == BLOCK_NONE))
			continue;
		if (of == MARK_OF_PROGRAM || !mark_is_bookkeeping(blocks, found, start, words[i], of))
			mark->seen(mark, found, start, (uint64_t)(uintptr_t)&words[i] + mark->shift);
	}
}

void mark_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	if (UNLIKELY(mark->seen || mark->seek)) {
		if (mark->seen) {
			tell_words(mark, words, count, of);
		} else {
			count_words(mark, count);
			mark->seek(mark, words, count, of);
		}
		return;
	}
	read_words(mark, words, count, of);
	drain(mark);
}

/* -- blocks -------------------------------------------------------------------- */

static void read_block(struct mark *mark, struct mark_pending block)
{
	const struct blocks *blocks = mark->blocks;
	enum mark_of of =
	    blocks_flags(blocks, block.number) & BLOCK_RESOURCE ? MARK_OF_STREAM : MARK_OF_PROGRAM;
	struct block_cursor cursor = block_cursor_at(blocks, block.number, block.start);
	while (block_cursor_run(blocks, &cursor) && !mark->expired)
		read_words(mark, cursor.words, cursor.left, of);
}

/* Of a block; what is behind it the processor fetches by itself by then. */
#define FETCH_MOST 1024u

static void fetch_block(const struct blocks *blocks, uint32_t number, uint64_t start, unsigned step)
{
	if (step == 0) {
		__builtin_prefetch((const char *)start - CHUNK_HEADER / 2);
		__builtin_prefetch((const char *)start + 64);
	} else if (blocks->of_libc && !(blocks_flags(blocks, number) & BLOCK_HOLES)) {
		/* The header is there by now. */
		uint64_t bytes = MIN_OF(chunk_of(start).size, (uint64_t)FETCH_MOST);
		for (uint64_t at = 128; at < bytes; at += 64)
			__builtin_prefetch((const char *)start + at);
	}
	if (!blocks->of_libc && blocks->fetch)
		blocks->fetch(start, step);
}

static bool is_waiting(const struct mark *mark, uint32_t number)
{
	return (blocks_flags(mark->blocks, number) & (BLOCK_REACHED | BLOCK_READ)) == BLOCK_REACHED;
}

static void begin_sweep(struct mark *mark)
{
	mark->sweeping = true;
	mark->upward = !mark->upward;
	const struct block_walk start = { 0 };
	mark->walk = mark->upward ? start : blocks_end(mark->blocks);
}

static bool sweep_on(struct mark *mark)
{
	return mark->upward ? blocks_next(mark->blocks, &mark->walk)
			    : blocks_previous(mark->blocks, &mark->walk);
}

/* What waits is brought into the queue, which is empty, as far as there is room. */
static void fill_queue(struct mark *mark)
{
	struct block_walk walk = { 0 };
	while (mark->waiting && mark->pending_count < mark->pending_room && blocks_next(mark->blocks, &walk))
		if (is_waiting(mark, walk.number)) {
			put_pending(mark, walk.number, walk.start);
			mark->waiting--;
		}
}

/* The next block to be read; not used: there is none. */
static struct mark_pending take(struct mark *mark)
{
	for (;;) {
		while (mark->sweeping && sweep_on(mark))
			if (is_waiting(mark, mark->walk.number)) {
				mark->waiting--;
				blocks_flag(mark->blocks, mark->walk.number, BLOCK_READ);
				return (struct mark_pending){ mark->walk.start, mark->walk.number, true };
			}
		mark->sweeping = false;
		if (UNLIKELY(mark->waiting > mark->pending_room / 2)) {
			begin_sweep(mark);
			continue;
		}
		if (!mark->pending_count && mark->waiting)
			fill_queue(mark);
		if (!mark->pending_count)
			return (struct mark_pending){ 0 };
		mark->pending_count--;
		return mark->pending[mark->pending_first++ & (mark->pending_room - 1)];
	}
}

/*
 * As take, but it was fetched some blocks ago. Not used: nothing is to be read, but something may be in the queues of words.
 */
static struct mark_pending next_to_read(struct mark *mark)
{
	for (unsigned i = 0; i < 2 * MARK_QUEUE; i++) {
		unsigned turn = mark->read_turn++ % MARK_QUEUE;
		struct mark_pending read = mark->to_read[turn], fetch = mark->to_fetch[turn],
				    entry = take(mark);
		if (entry.used)
			fetch_block(mark->blocks, entry.number, entry.start, 0);
		if (fetch.used)
			fetch_block(mark->blocks, fetch.number, fetch.start, 1);
		mark->to_fetch[turn] = entry;
		mark->to_read[turn] = fetch;
		if (read.used)
			return read;
	}
	return (struct mark_pending){ 0 };
}

static bool anything_to_read(const struct mark *mark)
{
	for (unsigned i = 0; i < MARK_QUEUE; i++)
		if (mark->to_fetch[i].used || mark->to_read[i].used)
			return true;
	return mark->pending_count || mark->waiting;
}

/* Return: whether there was one. */
static bool read_extent(struct mark *mark)
{
	const struct extent *extent = mark->extents ? extents_next(mark->extents) : NULL;
	if (extent)
		mark->read_extent(mark, extent, mark->extent_data);
	return extent;
}

void mark_run(struct mark *mark)
{
	while (!mark->expired) {
		struct mark_pending block = next_to_read(mark);
		if (LIKELY(block.used)) {
			read_block(mark, block);
			continue;
		}
		drain(mark);
		if (!anything_to_read(mark) && !read_extent(mark))
			return;
	}
}
