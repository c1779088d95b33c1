#include "reporter/scan/blocks.h"

#include "reporter/scan/chunk.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/pages.h"
#include "reporter/scan/ranges.h"

#define ADDRESS_END ((uint64_t)1 << 47)

/* -- making them ----------------------------------------------------------------- */

void blocks_begin(struct blocks *blocks, unsigned unit_shift)
{
	blocks->unit_shift = unit_shift;
	blocks->regions = memory_array(BLOCKS_TOP_ENTRIES, sizeof *blocks->regions);
	blocks->failed = !blocks->regions;
}

static uint64_t lines_in_region(const struct blocks *blocks)
{
	return BLOCKS_REGION_BYTES >> (blocks->unit_shift + 6);
}

static uint64_t line_bytes(const struct blocks *blocks)
{
	return (uint64_t)64 << blocks->unit_shift;
}

static bool makes_sense(const struct blocks *blocks, const struct block *block)
{
	if (blocks->count == BLOCKS_MOST || block->start >= ADDRESS_END ||
	    block->bytes >= ADDRESS_END - block->start)
		return false;
	return !blocks->count || blocks->newest < block->start;
}

static bool region_make(struct blocks *blocks, uint64_t place)
{
	if (blocks->regions[place] && blocks->regions[place] != blocks->blank)
		return true;
	struct block_region *made =
	    memory_grow(blocks->made, blocks->made_count, &blocks->made_room, sizeof *made);
	if (!made)
		return false;
	blocks->made = made;
	struct block_line *lines = memory_array(lines_in_region(blocks), sizeof *lines);
	if (!lines)
		return false;
	made[blocks->made_count++] = (struct block_region){ .place = (uint32_t)place, .first = BLOCK_NONE };
	blocks->regions[place] = lines;
	return true;
}

/* The newest block is the first one to start in a region. It was made just now, or when a block before it reached so far. */
static void region_begin(struct blocks *blocks, uint64_t place)
{
	uint64_t at = blocks->made_count;
	while (blocks->made[at - 1].place != place)
		at--;
	blocks->made[at - 1].first = (uint32_t)blocks->count;
}

/* The lines that a block reaches into, and does not start in, know where it starts. */
static bool reach_into(struct blocks *blocks, uint64_t start, uint64_t end)
{
	uint64_t bytes = line_bytes(blocks), from = start & ~(bytes - 1);
	for (uint64_t at = from + bytes; at < end; at += bytes) {
		if (!region_make(blocks, at >> BLOCKS_REGION_SHIFT))
			return false;
		struct block_line *line = blocks_line(blocks, at);
		if (!line->back)
			line->back = (uint32_t)((at - from) / bytes);
	}
	return true;
}

static bool add_large(struct blocks *blocks, uint64_t start, uint64_t end)
{
	struct block_large *large =
	    memory_grow(blocks->large, blocks->large_count, &blocks->large_room, sizeof *large);
	if (!large)
		return false;
	blocks->large = large;
	large[blocks->large_count++] = (struct block_large){ start, end, (uint32_t)blocks->count };
	/* Pages that are only read take no memory. */
	if (!blocks->blank)
		blocks->blank = memory_array(lines_in_region(blocks), sizeof *blocks->blank);
	if (!blocks->blank)
		return false;
	for (uint64_t at = start >> BLOCKS_REGION_SHIFT; at <= (end - 1) >> BLOCKS_REGION_SHIFT; at++)
		if (!blocks->regions[at])
			blocks->regions[at] = blocks->blank;
	return true;
}

static bool note(struct blocks *blocks, const struct block *block)
{
	if (!block->flags)
		return true;
	struct block_noted *noted =
	    memory_grow(blocks->noted, blocks->noted_count, &blocks->noted_room, sizeof *noted);
	if (!noted)
		return false;
	blocks->noted = noted;
	noted[blocks->noted_count++] = (struct block_noted){
		.start = block->start,
		.number = (uint32_t)blocks->count,
		.flags = block->flags,
	};
	return true;
}

static bool enter(struct blocks *blocks, const struct block *block)
{
	uint64_t end = block->start + block_reach(block);
	if (block->start & (((uint64_t)1 << blocks->unit_shift) - 1)) {
		blocks->too_near = true;
		return false;
	}
	if (!region_make(blocks, block->start >> BLOCKS_REGION_SHIFT))
		return false;
	if (!blocks->count || blocks->newest >> BLOCKS_REGION_SHIFT != block->start >> BLOCKS_REGION_SHIFT)
		region_begin(blocks, block->start >> BLOCKS_REGION_SHIFT);
	struct block_line *line = blocks_line(blocks, block->start);
	if (!line->starts)
		line->first = (uint32_t)blocks->count;
	line->starts |= (uint64_t)1 << (block->start >> blocks->unit_shift & 63);
	bool large = end - block->start >= BLOCKS_LARGE_BYTES;
	return (large ? add_large(blocks, block->start, end) : reach_into(blocks, block->start, end)) &&
	       note(blocks, block);
}

void blocks_add(struct blocks *blocks, const struct block *block)
{
	if (blocks->failed || !makes_sense(blocks, block) || !enter(blocks, block)) {
		blocks->failed = true;
		return;
	}
	if (!blocks->count)
		blocks->low = block->start;
	blocks->newest = block->start;
	blocks->count++;
	blocks->bytes += block->bytes;
	blocks->span = MAX_OF(blocks->span, block->start + block_reach(block) - blocks->low);
	if (block->site >= blocks->sites)
		blocks->sites = block->site + 1;
}

void blocks_index(struct blocks *blocks)
{
	if (blocks->failed)
		return;
	blocks->flags = memory_array(blocks->count, sizeof *blocks->flags);
	blocks->failed = !blocks->flags;
	for (uint64_t i = 0; i < blocks->noted_count && blocks->flags; i++)
		blocks->flags[blocks->noted[i].number] |= (uint8_t)blocks->noted[i].flags;
}

void blocks_release(struct blocks *blocks)
{
	uint64_t lines = blocks->unit_shift ? lines_in_region(blocks) : 0;
	for (uint64_t i = 0; i < blocks->made_count; i++)
		memory_free(blocks->regions[blocks->made[i].place], lines, sizeof(struct block_line));
	memory_free(blocks->blank, lines, sizeof *blocks->blank);
	memory_free(blocks->regions, BLOCKS_TOP_ENTRIES, sizeof *blocks->regions);
	memory_free(blocks->made, blocks->made_room, sizeof *blocks->made);
	memory_free(blocks->large, blocks->large_room, sizeof *blocks->large);
	memory_free(blocks->noted, blocks->noted_room, sizeof *blocks->noted);
	memory_free(blocks->flags, blocks->count, sizeof *blocks->flags);
	*blocks = (struct blocks){ 0 };
}

/* -- one block ------------------------------------------------------------------- */

/* The start of the next block behind that one, in the same line or the next; UINT64_MAX: not so near. */
static uint64_t next_start(const struct blocks *blocks, uint64_t start)
{
	uint64_t unit = start >> blocks->unit_shift;
	uint64_t above = blocks_line(blocks, start)->starts >> (unit & 63) >> 1;
	if (above)
		return (unit + 1 + (uint64_t)__builtin_ctzll(above)) << blocks->unit_shift;
	uint64_t next = (start & ~(line_bytes(blocks) - 1)) + line_bytes(blocks);
	if (next >= ADDRESS_END || !blocks->regions[next >> BLOCKS_REGION_SHIFT])
		return UINT64_MAX;
	uint64_t starts = blocks_line(blocks, next)->starts;
	return starts ? next + ((uint64_t)__builtin_ctzll(starts) << blocks->unit_shift) : UINT64_MAX;
}

uint64_t blocks_usable(const struct blocks *blocks, uint64_t start)
{
	if (!blocks->of_libc)
		return 0;
	struct chunk chunk = chunk_of(start);
	if (chunk.flags & CHUNK_MAPPED || start + chunk.size != next_start(blocks, start))
		return 0;
	return chunk.usable;
}

/* Whether the header in front of a block may be read: it is in the block's own page, nearly always. */
static bool has_header(const struct blocks *blocks, uint64_t start)
{
	struct range piece;
	if (!blocks->of_libc || start % CHUNK_HEADER)
		return false;
	return !blocks->readable || (ranges_next(blocks->readable, start - CHUNK_HEADER, start, &piece) &&
				     piece.start == start - CHUNK_HEADER && piece.end == start);
}

/*
 * Other allocators: up to the next multiple of 8, which is jemalloc's and tcmalloc's smallest size
 * class. Others may be farther apart, but behind the block a free one may begin, which the
 * allocator's own lists point to.
 */
static uint64_t guess_slack(const struct block *block)
{
	uint64_t end = (block->start + block->bytes + 7) & ~UINT64_C(7);
	return end - block->start - block->bytes;
}

static uint64_t slack_of(const struct blocks *blocks, const struct block *block)
{
	uint64_t slack = guess_slack(block);
	if (block->flags & BLOCK_POOL)
		return 0;
	if (has_header(blocks, block->start)) {
		struct chunk chunk = chunk_of(block->start);
		if (chunk.usable >= block->bytes)
			slack = chunk.usable - block->bytes <= UINT16_MAX ? chunk.usable - block->bytes : 0;
	}
	/* Never into the next block: a pointer there is that one's. */
	uint64_t end = block->start + block->bytes, next = next_start(blocks, block->start);
	if (end + slack > next)
		slack = next > end ? next - end : 0;
	return slack;
}

struct block blocks_look(const struct blocks *blocks, uint64_t start)
{
	struct block block = { .start = start };
	if (blocks->known(&block))
		block.slack = slack_of(blocks, &block);
	return block;
}

static bool holds(const struct blocks *blocks, uint64_t start, uint64_t address)
{
	struct block block = { .start = start };
	return address == start || (blocks->known(&block) && address - start < block_reach(&block));
}

/*
 * Of those that start at `highest` or below and hold `address`, the innermost. Large ones are few, and hardly ever lie in each
 * other.
 */
static uint32_t find_large(const struct blocks *blocks, uint64_t address, uint64_t highest,
			   uint64_t *ret_start)
{
	uint64_t from = 0, to = blocks->large_count;
	while (from < to) {
		uint64_t middle = (from + to) / 2;
		if (blocks->large[middle].start <= highest)
			from = middle + 1;
		else
			to = middle;
	}
	while (from-- > 0) {
		if (address >= blocks->large[from].end)
			continue;
		*ret_start = blocks->large[from].start;
		return blocks->large[from].number;
	}
	return BLOCK_NONE;
}

/* Likewise among all: every block that could reach so far; the last of them is the inner one. */
static uint32_t find_among(const struct blocks *blocks, const struct block_line *line, uint64_t address,
			   uint64_t highest, uint64_t *ret_start)
{
	uint64_t bytes = line_bytes(blocks), own = address & ~(bytes - 1);
	uint32_t found = BLOCK_NONE;
	for (uint64_t at = own - line->back * bytes; at <= own; at += bytes) {
		const struct block_line *here = blocks_line(blocks, at);
		uint32_t number = here->first;
		for (uint64_t left = here->starts; left; left &= left - 1, number++) {
			uint64_t start = at + ((uint64_t)__builtin_ctzll(left) << blocks->unit_shift);
			if (start > highest)
				break;
			if (!holds(blocks, start, address))
				continue;
			found = number;
			*ret_start = start;
		}
	}
	return found != BLOCK_NONE ? found : find_large(blocks, address, highest, ret_start);
}

static uint32_t find_around(const struct blocks *blocks, uint64_t address, uint64_t *ret_start)
{
	if (address - blocks->low >= blocks->span || !blocks->regions[address >> BLOCKS_REGION_SHIFT])
		return BLOCK_NONE;
	const struct block_line *line = blocks_line(blocks, address);
	uint32_t last = block_line_last(blocks, line, address, ret_start);
	if (last != BLOCK_NONE && holds(blocks, *ret_start, address))
		return last;
	return find_among(blocks, line, address, address, ret_start);
}

/* How large the headers are that allocators on top of malloc put before what they hand out; talloc's has 96 bytes. */
#define HEADER_MOST 256u
#define HEADER_UNIT 16u

/* Of a header with nothing behind it (talloc_new) what the program has is the address behind the block. */
static bool is_header_before(const struct blocks *blocks, uint64_t start, uint64_t address)
{
	struct block block = { .start = start };
	return start % HEADER_UNIT == 0 && address - start <= HEADER_MOST && blocks->known(&block) &&
	       start + block.bytes == address;
}

uint32_t blocks_find_start(const struct blocks *blocks, uint64_t address, uint64_t *ret_start)
{
	uint32_t found = find_around(blocks, address, ret_start);
	if (found != BLOCK_NONE || address % HEADER_UNIT)
		return found;
	found = find_around(blocks, address - 1, ret_start);
	return found != BLOCK_NONE && is_header_before(blocks, *ret_start, address) ? found : BLOCK_NONE;
}

uint32_t blocks_find_around(const struct blocks *blocks, uint64_t start, uint64_t *ret_start)
{
	return find_among(blocks, blocks_line(blocks, start), start, start - 1, ret_start);
}

uint64_t blocks_start(const struct blocks *blocks, uint32_t number)
{
	uint64_t region = 0;
	for (uint64_t i = 0; i < blocks->made_count; i++)
		if (blocks->made[i].first <= number)
			region = i;
	uint64_t place = blocks->made[region].place;
	const struct block_line *lines = blocks->regions[place];
	uint64_t line = 0, behind = lines_in_region(blocks);
	while (behind - line > 1) {
		uint64_t middle = (line + behind) / 2, at = middle;
		while (at < behind && !lines[at].starts)
			at++;
		if (at < behind && lines[at].first <= number)
			line = at;
		else
			behind = middle;
	}
	uint64_t left = lines[line].starts;
	for (uint32_t skip = number - lines[line].first; skip && left; skip--)
		left &= left - 1;
	uint64_t unit = left ? (uint64_t)__builtin_ctzll(left) : 0;
	return (place << BLOCKS_REGION_SHIFT) + line * line_bytes(blocks) + (unit << blocks->unit_shift);
}

/* -- all of them ------------------------------------------------------------------ */

static uint64_t line_start(const struct blocks *blocks, uint64_t region, uint64_t line)
{
	return ((uint64_t)blocks->made[region].place << BLOCKS_REGION_SHIFT) + line * line_bytes(blocks);
}

bool blocks_next(const struct blocks *blocks, struct block_walk *walk)
{
	const uint64_t lines = lines_in_region(blocks);
	while (!walk->left) {
		if (walk->line == lines) {
			walk->region++;
			walk->line = 0;
		}
		if (walk->region >= blocks->made_count)
			return false;
		const struct block_line *region = blocks->regions[blocks->made[walk->region].place];
		while (walk->line < lines && !walk->left)
			walk->left = region[walk->line++].starts;
	}
	uint64_t unit = (uint64_t)__builtin_ctzll(walk->left);
	walk->left &= walk->left - 1;
	walk->start = line_start(blocks, walk->region, walk->line - 1) + (unit << blocks->unit_shift);
	walk->number = walk->next++;
	return true;
}

struct block_walk blocks_end(const struct blocks *blocks)
{
	return (struct block_walk){
		.next = (uint32_t)blocks->count,
		.region = blocks->made_count,
		.line = lines_in_region(blocks),
	};
}

bool blocks_previous(const struct blocks *blocks, struct block_walk *walk)
{
	while (!walk->left) {
		if (!walk->line) {
			walk->region -= walk->region > 0;
			walk->line = lines_in_region(blocks);
		}
		if (!walk->region)
			return false;
		const struct block_line *region = blocks->regions[blocks->made[walk->region - 1].place];
		while (walk->line && !walk->left)
			walk->left = region[--walk->line].starts;
	}
	uint64_t unit = 63 - (uint64_t)__builtin_clzll(walk->left);
	walk->left &= ~((uint64_t)1 << unit);
	walk->start = line_start(blocks, walk->region - 1, walk->line) + (unit << blocks->unit_shift);
	walk->number = --walk->next;
	return true;
}

/* -- what is in one ---------------------------------------------------------------- */

/* Blocks from this size on are asked for pages that were never touched. */
#define PAGED_BYTES ((uint64_t)1 << 20)

struct block_cursor block_cursor_at(const struct blocks *blocks, uint32_t number, uint64_t start)
{
	struct block_cursor cursor = { .start = start, .from = start };
	cursor.holes = blocks_flags(blocks, number) & BLOCK_HOLES;
	uint64_t usable = cursor.holes ? 0 : blocks_usable(blocks, start);
	if (!usable) {
		struct block block = blocks_look(blocks, start);
		usable = block.bytes + block.slack;
	}
	cursor.end = start + usable;
	return cursor;
}

/* The first block of a pool that starts in [from, end), and its number; UINT64_MAX: none. */
static uint64_t next_of_pool(const struct blocks *blocks, uint64_t from, uint64_t end, uint32_t *ret_number)
{
	const uint64_t bytes = line_bytes(blocks);
	for (uint64_t at = from; at < end; at = (at & ~(bytes - 1)) + bytes) {
		if (!blocks->regions[at >> BLOCKS_REGION_SHIFT])
			continue;
		const struct block_line *line = blocks_line(blocks, at);
		unsigned unit = (unsigned)(at >> blocks->unit_shift) & 63;
		uint64_t left = line->starts & UINT64_MAX << unit;
		uint32_t number = line->first + bits_in(line->starts & ~(UINT64_MAX << unit));
		for (; left; left &= left - 1, number++) {
			uint64_t start =
			    (at & ~(bytes - 1)) + ((uint64_t)__builtin_ctzll(left) << blocks->unit_shift);
			if (start < from || !(blocks_flags(blocks, number) & BLOCK_POOL))
				continue;
			*ret_number = number;
			return start < end ? start : UINT64_MAX;
		}
	}
	return UINT64_MAX;
}

/* The first piece of [from, end) that lies in no block of a pool that starts there. Return: false: there is none. */
static bool own_piece(const struct blocks *blocks, uint64_t from, uint64_t end, struct range *ret_piece)
{
	while (from < end) {
		uint32_t number;
		uint64_t inner = next_of_pool(blocks, from, end, &number);
		*ret_piece = (struct range){ from, MIN_OF(inner, end) };
		if (inner > from)
			return true;
		struct block block = blocks_look(blocks, inner);
		from = inner + block_extent(&block);
	}
	return false;
}

bool block_cursor_run(const struct blocks *blocks, struct block_cursor *cursor)
{
	const uint64_t end = cursor->end;
	uint64_t from = (cursor->from + 7) & ~UINT64_C(7);
	while (from + 8 <= end) {
		struct range run = { from, end };
		if (UNLIKELY(cursor->holes) && !cursor->whole &&
		    !own_piece(blocks, MAX_OF(from, cursor->start + 1), end, &run))
			break;
		/* The first word of the block, where that is one of a pool itself. */
		if (run.start == cursor->start + 1)
			run.start = cursor->start;
		if (UNLIKELY(cursor->holes) && blocks->readable &&
		    !ranges_next(blocks->readable, run.start, run.end, &run))
			break;
		if (UNLIKELY(run.end - run.start >= PAGED_BYTES) && blocks->pages) {
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
		cursor->from = run.end;
		return true;
	}
	cursor->from = end;
	return false;
}
