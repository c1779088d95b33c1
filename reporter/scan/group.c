#include "reporter/scan/group.h"

#include "base/sort.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"

/* A block that is lost. */
struct lost {
	uint64_t start, bytes;
	site_id site;
	uint32_t thread;
	uint32_t order; /* when it was first seen, from 1; 0: not yet */
	uint32_t low;   /* the earliest that it leads back to; once folded: its ring, from 0 */
	bool on_path;
};

/* Numbers of blocks are turned into those of lost blocks by so many at a time. */
#define STRIDE ((uint64_t)64)

/* A place in a lost block. */
struct visit {
	struct block_cursor cursor;
	uint32_t lost;
};

/* Working space. Lost blocks have numbers of their own, from 0. */
struct work {
	struct blocks *blocks;
	uint64_t count;       /* how many blocks are lost */
	struct lost *lost;    /* by number */
	uint32_t *before;     /* by number of any block / STRIDE: how many are lost in front of those */
	uint32_t *open;       /* stack of blocks whose ring is not complete */
	uint32_t *folded;     /* blocks, ring by ring, those pointed to before those that point */
	uint32_t *owner;      /* by ring: number + 1 of the group that it counts for; 0: none yet */
	uint32_t *group_of;   /* by site: number + 1 of its group; 0: none yet */
	uint64_t *site_bytes; /* by site: scratch for one ring */
	struct visit *path;   /* from the block the walk began with to the present one */
	uint64_t open_count, folded_count;
	uint64_t bytes; /* of all these */
	uint32_t rings;
	nsec_t deadline;
	uint64_t steps;
	bool expired;
};

static bool is_lost(const struct blocks *blocks, uint64_t block)
{
	return !(blocks_flags(blocks, (uint32_t)block) & BLOCK_REACHED);
}

static uint64_t strides(const struct blocks *blocks)
{
	return blocks->count / STRIDE + 1;
}

/* Numbers the lost ones. */
static bool count_lost(struct work *work)
{
	const struct blocks *blocks = work->blocks;
	work->before = memory_array(strides(blocks), sizeof *work->before);
	for (uint64_t i = 0; work->before && i < blocks->count; i++) {
		if (i % STRIDE == 0)
			work->before[i / STRIDE] = (uint32_t)work->count;
		work->count += is_lost(blocks, i);
	}
	return work->before;
}

/* The number that a lost block has among them. */
static uint32_t lost_number(const struct work *work, uint32_t block)
{
	uint32_t number = work->before[block / STRIDE];
	for (uint64_t i = block / STRIDE * STRIDE; i < block; i++)
		number += is_lost(work->blocks, i);
	return number;
}

static void describe_lost(struct work *work)
{
	uint64_t at = 0;
	for (struct block_walk walk = { 0 }; at < work->count && blocks_next(work->blocks, &walk);) {
		struct block block = { .start = walk.start };
		if (!is_lost(work->blocks, walk.number))
			continue;
		work->lost[at] = (struct lost){ .start = walk.start };
		if (work->blocks->known(&block) && block.site < work->blocks->sites) {
			work->lost[at].bytes = block.bytes;
			work->lost[at].site = block.site;
			work->lost[at].thread = block.thread;
		}
		at++;
	}
}

static bool work_init(struct work *work, struct blocks *blocks, nsec_t deadline)
{
	*work = (struct work){ .blocks = blocks, .deadline = deadline };
	if (!blocks->count)
		return true;
	if (!count_lost(work))
		return false;
	if (!work->count)
		return true;
	work->lost = memory_array(work->count, sizeof *work->lost);
	work->open = memory_array(work->count, sizeof *work->open);
	work->folded = memory_array(work->count, sizeof *work->folded);
	work->owner = memory_array(work->count, sizeof *work->owner);
	work->path = memory_array(work->count, sizeof *work->path);
	work->group_of = memory_array(blocks->sites, sizeof *work->group_of);
	work->site_bytes = memory_array(blocks->sites, sizeof *work->site_bytes);
	if (!work->lost || !work->open || !work->folded || !work->owner || !work->path || !work->group_of ||
	    !work->site_bytes)
		return false;
	work->bytes = strides(blocks) * sizeof *work->before +
		      work->count * (sizeof *work->lost + sizeof *work->open + sizeof *work->folded +
				     sizeof *work->owner) +
		      blocks->sites * (sizeof *work->group_of + sizeof *work->site_bytes);
	describe_lost(work);
	return true;
}

static void work_release(struct work *work)
{
	memory_free(work->before, strides(work->blocks), sizeof *work->before);
	memory_free(work->lost, work->count, sizeof *work->lost);
	memory_free(work->open, work->count, sizeof *work->open);
	memory_free(work->folded, work->count, sizeof *work->folded);
	memory_free(work->owner, work->count, sizeof *work->owner);
	memory_free(work->path, work->count, sizeof *work->path);
	memory_free(work->group_of, work->blocks->sites, sizeof *work->group_of);
	memory_free(work->site_bytes, work->blocks->sites, sizeof *work->site_bytes);
}

static bool out_of_time(struct work *work)
{
	if ((++work->steps & 0xffff) == 0 && work->deadline && sys_monotonic() > work->deadline)
		work->expired = true;
	return work->expired;
}

static struct visit visit_at(const struct work *work, uint32_t lost)
{
	const struct blocks *blocks = work->blocks;
	uint64_t start = work->lost[lost].start;
	uint32_t number = block_line_last(blocks, blocks_line(blocks, start), start, &start);
	struct visit visit = { block_cursor_at(blocks, number, start), lost };
	/* Whatever lies in a lost block is lost with it. */
	visit.cursor.whole = true;
	return visit;
}

/* The next lost block that a word from there on points to; BLOCK_NONE at the end. */
static uint32_t visit_next(const struct work *work, struct visit *visit)
{
	uint32_t next;
	while ((next = block_cursor_next(work->blocks, &visit->cursor)) != BLOCK_NONE)
		if (is_lost(work->blocks, next))
			return lost_number(work, next);
	return BLOCK_NONE;
}

static void open_block(struct work *work, uint32_t lost, uint32_t *seen)
{
	struct lost *block = &work->lost[lost];
	block->order = block->low = ++*seen;
	block->on_path = true;
	work->open[work->open_count++] = lost;
}

/* `root` leads back to nothing earlier: it and what is open above it are a ring (of one, mostly). */
static void fold(struct work *work, uint32_t root)
{
	uint32_t lost;
	do {
		lost = work->open[--work->open_count];
		work->lost[lost].on_path = false;
		work->lost[lost].low = work->rings;
		work->folded[work->folded_count++] = lost;
	} while (lost != root);
	work->rings++;
}

/* Tarjan's walk from one block, with a path of our own in place of recursion: a list may be millions long. */
static void walk(struct work *work, uint32_t from, uint32_t *seen)
{
	uint64_t depth = 0;
	work->path[depth++] = visit_at(work, from);
	open_block(work, from, seen);
	while (depth && !out_of_time(work)) {
		struct visit *at = &work->path[depth - 1];
		struct lost *here = &work->lost[at->lost];
		uint32_t next = visit_next(work, at);
		if (next == BLOCK_NONE) {
			bool is_root = here->low == here->order;
			uint32_t low = here->low;
			if (is_root)
				fold(work, at->lost);
			if (--depth && !is_root) {
				struct lost *above = &work->lost[work->path[depth - 1].lost];
				above->low = MIN_OF(above->low, low);
			}
		} else if (!work->lost[next].order) {
			open_block(work, next, seen);
			work->path[depth++] = visit_at(work, next);
		} else if (work->lost[next].on_path) {
			here->low = MIN_OF(here->low, work->lost[next].order);
		}
	}
}

/* The site with the most bytes in a ring of `count` blocks; the lowest of equals. */
static site_id leading_site(struct work *work, const uint32_t *ring, uint64_t count)
{
	const struct lost *blocks = work->lost;
	for (uint64_t i = 0; i < count; i++)
		work->site_bytes[blocks[ring[i]].site] += blocks[ring[i]].bytes + 1;
	site_id lead = blocks[ring[0]].site;
	for (uint64_t i = 0; i < count; i++) {
		site_id site = blocks[ring[i]].site;
		uint64_t more = work->site_bytes[site], most = work->site_bytes[lead];
		if (more > most || (more == most && site < lead))
			lead = site;
	}
	for (uint64_t i = 0; i < count; i++)
		work->site_bytes[blocks[ring[i]].site] = 0;
	return lead;
}

/* Number + 1 of the site's group, making it; 0: there is no room. */
static uint32_t group_of_site(struct work *work, struct groups *groups, site_id site)
{
	uint32_t *number = &work->group_of[site];
	if (!*number) {
		if (groups->count == groups->room) {
			groups->dropped++;
			return 0;
		}
		groups->at[groups->count] = (struct group){ .site = site };
		*number = (uint32_t)++groups->count;
	}
	return *number;
}

static void add_other(struct group *group, site_id site)
{
	if (site == group->site)
		return;
	for (unsigned i = 0; i < GROUP_OTHERS; i++) {
		if (group->others[i] == site)
			return;
		if (!group->others[i]) {
			group->others[i] = site;
			return;
		}
	}
}

static void add_direct(struct group *group, const struct lost *block)
{
	if (!group->count)
		group->thread = block->thread;
	else if (group->thread != block->thread)
		group->threads_differ = true;
	group->bytes += block->bytes;
	group->count++;
	add_other(group, block->site);
}

/*
 * Counts one ring for a group: its own where nothing lost points to it, else that of the first
 * that does; and says the same of all that it points to. Rings come in the order
 * in which that is known: those that point before those pointed to.
 */
static void count_ring(struct work *work, struct groups *groups, const uint32_t *ring, uint64_t count)
{
	uint32_t number = work->lost[ring[0]].low;
	bool direct = !work->owner[number];
	if (direct)
		work->owner[number] = group_of_site(work, groups, leading_site(work, ring, count));
	uint32_t owner = work->owner[number];
	if (!owner)
		return;
	struct group *group = &groups->at[owner - 1];
	group->cycle |= direct && count > 1;
	for (uint64_t i = 0; i < count && !out_of_time(work); i++) {
		const struct lost *block = &work->lost[ring[i]];
		if (direct) {
			add_direct(group, block);
		} else {
			group->indirect_bytes += block->bytes;
			group->indirect_count++;
		}
		struct visit visit = visit_at(work, ring[i]);
		uint32_t next;
		while ((next = visit_next(work, &visit)) != BLOCK_NONE)
			if (!work->owner[work->lost[next].low])
				work->owner[work->lost[next].low] = owner;
	}
}

static void count_rings(struct work *work, struct groups *groups)
{
	for (uint64_t end = work->folded_count; end && !work->expired;) {
		uint64_t first = end - 1;
		while (first &&
		       work->lost[work->folded[first - 1]].low == work->lost[work->folded[end - 1]].low)
			first--;
		count_ring(work, groups, &work->folded[first], end - first);
		end = first;
	}
}

bool group_before(const void *a, const void *b, void *data)
{
	const struct group *left = a, *right = b;
	uint64_t left_bytes = left->bytes + left->indirect_bytes,
		 right_bytes = right->bytes + right->indirect_bytes;
	(void)data;
	return left_bytes != right_bytes ? left_bytes > right_bytes : left->site < right->site;
}

void groups_make(struct groups *groups, struct blocks *blocks, nsec_t deadline)
{
	struct work work;
	groups->count = groups->dropped = 0;
	groups->failed = !work_init(&work, blocks, deadline);
	if (!groups->failed && work.count) {
		uint32_t seen = 0;
		for (uint64_t i = 0; i < work.count && !work.expired; i++)
			if (!work.lost[i].order)
				walk(&work, (uint32_t)i, &seen);
		if (!work.expired)
			count_rings(&work, groups);
		groups->failed = work.expired;
		sort_items(groups->at, groups->count, sizeof *groups->at, group_before, NULL);
	}
	groups->memory = work.bytes;
	work_release(&work);
}
