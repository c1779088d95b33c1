#include "reporter/scan/links.h"

#define BACK_MOST 64u     /* words at the beginning of an element among which the way back is looked for */
#define HEADER_MOST 16u   /* bytes in front of an element: the size, as libraries' own allocators keep it */
#define BEFORE_MOST 4096u /* bytes of the previous element before its link */
#define ROUNDS_MOST 64u   /* each finds at least one more list */

/* Where words of a block of the program's may be read, and how many. */
static const int64_t *words_of(const struct blocks *blocks, uint32_t number, uint64_t start,
			       uint64_t *ret_count)
{
	*ret_count = 0;
	if (!(blocks_flags(blocks, number) & BLOCK_HOLES))
		*ret_count = blocks_look(blocks, start).bytes / sizeof(int64_t);
	return (const int64_t *)start;
}

/* Whether the word at `place` is the link that leads from the element around it to the one at `element`. */
static bool leads_to(const struct blocks *blocks, uint64_t place, uint64_t element)
{
	uint64_t start, count;
	uint32_t number = blocks_find_start(blocks, place, &start);
	if (number == BLOCK_NONE || !(blocks_flags(blocks, number) & BLOCK_REACHED))
		return false;
	const int64_t *words = words_of(blocks, number, start, &count);
	uint64_t at = (place - start) / sizeof(int64_t);
	if (at >= count || words[at] == 0)
		return false;
	uint64_t previous = element - (uint64_t)words[at];
	return previous >= start && previous <= place && place - previous <= BEFORE_MOST;
}

/* Whether a word may be how far it is from one element to another: within the heap, and of whole words. */
static bool is_distance(const struct blocks *blocks, uint64_t word)
{
	return word && word % sizeof(int64_t) == 0 && word + blocks->span < 2 * blocks->span;
}

static bool is_linked(const struct blocks *blocks, uint32_t number, uint64_t start)
{
	uint64_t count;
	const int64_t *words = words_of(blocks, number, start, &count);
	for (uint64_t i = 0; i < MIN_OF(count, BACK_MOST); i++) {
		uint64_t back = (uint64_t)words[i];
		if (!is_distance(blocks, back))
			continue;
		for (uint64_t before = 0; before <= HEADER_MOST; before += sizeof(int64_t))
			if (leads_to(blocks, start + before + back, start + before))
				return true;
	}
	return false;
}

/* The block of the next element behind the one at `start`, if nothing else leads to it; 0: there is none. */
static uint64_t next_of(const struct blocks *blocks, uint64_t start)
{
	uint64_t count, next;
	const int64_t *words = words_of(blocks, blocks_find(blocks, start), start, &count);
	for (uint64_t i = 0; i < MIN_OF(count, BEFORE_MOST / sizeof *words); i++) {
		if (!is_distance(blocks, (uint64_t)words[i]))
			continue;
		for (uint64_t before = 0; before <= HEADER_MOST; before += sizeof(int64_t)) {
			uint32_t number =
			    blocks_find_start(blocks, start + before + (uint64_t)words[i], &next);
			if (number != BLOCK_NONE && !(blocks_flags(blocks, number) & BLOCK_REACHED) &&
			    is_linked(blocks, number, next))
				return next;
		}
	}
	return 0;
}

void links_mark(struct mark *mark)
{
	const struct blocks *blocks = mark->blocks;
	bool more = !mark->expired;
	for (unsigned round = 0; more && round < ROUNDS_MOST; round++) {
		more = false;
		for (struct block_walk walk = { 0 }; blocks_next(blocks, &walk) && !mark->expired;) {
			if (blocks_flags(blocks, walk.number) & BLOCK_REACHED ||
			    !is_linked(blocks, walk.number, walk.start))
				continue;
			/* And what hangs on it: a list that grew at its front goes downward, and would take a round for each. */
			for (uint64_t at = walk.start; at && !mark->expired; at = next_of(blocks, at)) {
				mark_word(mark, at);
				mark_run(mark);
			}
			more = true;
		}
	}
}
