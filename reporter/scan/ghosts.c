#include "reporter/scan/ghosts.h"

#include <string.h>

#include "base/hash.h"
#include "platform/real.h"
#include "reporter/scan/memory.h"

/* glibc's, the same since there are 64-bit machines: 32 entries of 16 bytes; of 32 bytes, with two words in front. */
#define KEYS_BYTES UINT64_C(512)
#define HANDLERS_BYTES UINT64_C(1040)

#define WORDS_MOST (HANDLERS_BYTES / 8)

/* Less than the distance to functions of libc that have to do with something else. */
#define NEAR UINT64_C(1024)

static bool is_near(uint64_t frame, const char *function)
{
	uint64_t at = (uint64_t)(uintptr_t)real_find_anywhere(function);
	return at && frame - at + NEAR < 2 * NEAR;
}

enum finding_keeper ghosts_keeper_of(uint64_t bytes, const struct rec_stack *stack)
{
	if (bytes == KEYS_BYTES && is_near(stack->frames[0], "pthread_setspecific"))
		return KEPT_BY_KEYS;
	if (bytes == HANDLERS_BYTES && is_near(stack->frames[0], "__cxa_atexit"))
		return KEPT_BY_HANDLERS;
	return 0;
}

bool ghosts_hold_back(const struct image *image)
{
	const struct blocks *blocks = &image->blocks;
	bool any = false;
	for (uint64_t i = 0; i < blocks->noted_count; i++)
		if (blocks->noted[i].flags & BLOCK_LEFT_OUT) {
			blocks->flags[blocks->noted[i].number] |= BLOCK_REACHED | BLOCK_READ;
			any = true;
		}
	return any;
}

/* The words of a piece. */
static struct block_cursor piece(const struct blocks *blocks, const struct block_noted *noted)
{
	struct block_cursor cursor = block_cursor_at(blocks, noted->number, noted->start);
	if (!block_cursor_run(blocks, &cursor))
		cursor.left = 0;
	cursor.left = MIN_OF(cursor.left, WORDS_MOST);
	return cursor;
}

static struct ghost *ghost_of(struct ghosts *ghosts, site_id site, bool make)
{
	uint32_t at = 0;
	while (at < ghosts->count && ghosts->sites[at].site != site)
		at++;
	if (at == ghosts->count && make && ghosts->count < GHOSTS_SITES)
		ghosts->sites[ghosts->count++] = (struct ghost){ .site = site };
	return at < ghosts->count ? &ghosts->sites[at] : NULL;
}

/* The ghosts in one piece: their sites and sizes, each block once. Return: how many. */
static unsigned ghosts_in(const struct blocks *blocks, const struct block_noted *noted, const uint8_t *before,
			  struct block *ret_found)
{
	struct block_cursor cursor = piece(blocks, noted);
	unsigned count = 0;
	for (; cursor.left; cursor.left--, cursor.words++) {
		uint64_t start;
		uint32_t number = blocks_find_start(blocks, *cursor.words, &start);
		if (number == BLOCK_NONE || start != *cursor.words || before[number] & BLOCK_REACHED)
			continue;
		unsigned at = 0;
		while (at < count && ret_found[at].start != start)
			at++;
		if (at == count)
			ret_found[count++] = blocks_look(blocks, start);
	}
	return count;
}

static unsigned count_of(const struct block *found, unsigned count, site_id site)
{
	unsigned same = 0;
	for (unsigned i = 0; i < count; i++)
		same += found[i].site == site;
	return same;
}

/* First which sites there are so many of in one piece; then, all that these have in any. */
static void gather(struct ghosts *ghosts, const struct blocks *blocks, const uint8_t *before, bool first)
{
	struct block found[WORDS_MOST];
	for (uint64_t i = 0; i < blocks->noted_count; i++) {
		const struct block_noted *noted = &blocks->noted[i];
		if (!(noted->flags & BLOCK_LEFT_OUT))
			continue;
		unsigned count = ghosts_in(blocks, noted, before, found);
		bool by_keys = blocks_look(blocks, noted->start).bytes == KEYS_BYTES;
		for (unsigned j = 0; j < count; j++) {
			bool many =
			    first && found[j].site && count_of(found, count, found[j].site) >= GHOSTS_LEAST;
			struct ghost *ghost = ghost_of(ghosts, found[j].site, many);
			if (!ghost || first)
				continue;
			ghost->keeper = by_keys ? KEPT_BY_KEYS : KEPT_BY_HANDLERS;
			ghost->bytes += found[j].bytes;
			ghost->blocks++;
		}
	}
}

/* What was used a moment ago may be used again. */
static void keep_known(struct ghosts *ghosts, const struct ghosts *before)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < ghosts->count; i++)
		for (uint32_t j = 0; j < before->count; j++)
			if (before->sites[j].site == ghosts->sites[i].site) {
				ghosts->sites[kept++] = ghosts->sites[i];
				break;
			}
	ghosts->count = kept;
}

void ghosts_settle(struct ghosts *ghosts, const struct image *image, struct mark *mark,
		   const struct ghosts *before)
{
	const struct blocks *blocks = &image->blocks;
	ghosts->count = 0;
	uint8_t *flags = memory_array(blocks->count, sizeof *flags);
	if (flags)
		memcpy(flags, blocks->flags, blocks->count * sizeof *flags);
	for (uint64_t i = 0; i < blocks->noted_count; i++) {
		if (!(blocks->noted[i].flags & BLOCK_LEFT_OUT))
			continue;
		struct block_cursor cursor = piece(blocks, &blocks->noted[i]);
		mark_words(mark, cursor.words, cursor.left, MARK_OF_PROGRAM);
	}
	mark_run(mark);
	if (flags && !mark->expired) {
		gather(ghosts, blocks, flags, true);
		if (ghosts->count)
			gather(ghosts, blocks, flags, false);
	}
	memory_free(flags, blocks->count, sizeof *flags);
	if (before)
		keep_known(ghosts, before);
}

void ghosts_report(const struct ghosts *ghosts, const struct snapshot *snapshot, uint32_t flags,
		   struct finding_list *list)
{
	for (uint32_t i = 0; i < ghosts->count; i++) {
		const struct ghost *ghost = &ghosts->sites[i];
		const struct rec_site *site = view_site(snapshot->view, ghost->site);
		struct finding *finding = finding_begin(list, FINDING_ghost, snapshot, 1);
		struct finding_item *item = finding ? finding_add(finding, ROLE_allocated, 1) : NULL;
		if (!item)
			return;
		item->stack = site ? site->stack : 0;
		item->amount = ghost->bytes;
		item->flags = ITEM_SUBJECT;
		finding->key = finding->witness = hash_add(FINDING_ghost, item->stack);
		finding->flags = flags;
		finding->sort = (uint8_t)ghost->keeper;
		finding->amount = ghost->bytes;
		finding->count = ghost->blocks;
	}
}
