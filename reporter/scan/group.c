#include "reporter/scan/group.h"

#include "base/sort.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"

/* Working space: a number for each block, or for each lost one. */
struct work {
	struct blocks *blocks;
	uint64_t lost;      /* how many blocks are */
	uint32_t *order;    /* by block: when it was first seen, from 1; 0: not yet */
	uint32_t *low;      /* by block: the earliest that it leads back to; once folded: its ring, from 0 */
	uint32_t *open;     /* stack of blocks whose ring is not complete */
	uint32_t *folded;   /* blocks, ring by ring, those pointed to before those that point */
	uint32_t *owner;    /* by ring: number + 1 of the group that it counts for; 0: none yet */
	uint32_t *group_of; /* by site: number + 1 of its group; 0: none yet */
	uint64_t *site_bytes;      /* by site: scratch for one ring */
	struct block_cursor *path; /* from the block the walk began with to the present one */
	uint64_t open_count, folded_count;
	uint32_t rings;
	nsec_t deadline;
	uint64_t steps;
	bool expired;
};

static bool work_init(struct work *work, struct blocks *blocks, nsec_t deadline)
{
	*work = (struct work){ .blocks = blocks, .deadline = deadline };
	for (uint64_t i = 0; i < blocks->count; i++)
		work->lost += !(blocks->at[i].flags & BLOCK_REACHED);
	if (!work->lost)
		return true;
	work->order = memory_array(blocks->count, sizeof *work->order);
	work->low = memory_array(blocks->count, sizeof *work->low);
	work->open = memory_array(work->lost, sizeof *work->open);
	work->folded = memory_array(work->lost, sizeof *work->folded);
	work->owner = memory_array(work->lost, sizeof *work->owner);
	work->path = memory_array(work->lost, sizeof *work->path);
	work->group_of = memory_array(blocks->sites, sizeof *work->group_of);
	work->site_bytes = memory_array(blocks->sites, sizeof *work->site_bytes);
	return work->order && work->low && work->open && work->folded && work->owner && work->path &&
	       work->group_of && work->site_bytes;
}

static void work_release(struct work *work)
{
	if (!work->lost)
		return;
	memory_free(work->order, work->blocks->count, sizeof *work->order);
	memory_free(work->low, work->blocks->count, sizeof *work->low);
	memory_free(work->open, work->lost, sizeof *work->open);
	memory_free(work->folded, work->lost, sizeof *work->folded);
	memory_free(work->owner, work->lost, sizeof *work->owner);
	memory_free(work->path, work->lost, sizeof *work->path);
	memory_free(work->group_of, work->blocks->sites, sizeof *work->group_of);
	memory_free(work->site_bytes, work->blocks->sites, sizeof *work->site_bytes);
}

static bool is_lost(const struct work *work, uint32_t block)
{
	return !(work->blocks->at[block].flags & BLOCK_REACHED);
}

static bool out_of_time(struct work *work)
{
	if ((++work->steps & 0xffff) == 0 && work->deadline && sys_monotonic() > work->deadline)
		work->expired = true;
	return work->expired;
}

static void open_block(struct work *work, uint32_t block, uint32_t *seen)
{
	work->order[block] = work->low[block] = ++*seen;
	work->open[work->open_count++] = block;
	work->blocks->at[block].flags |= BLOCK_ON_PATH;
}

/* `root` leads back to nothing earlier: it and what is open above it are a ring (of one, mostly). */
static void fold(struct work *work, uint32_t root)
{
	uint32_t block;
	do {
		block = work->open[--work->open_count];
		work->blocks->at[block].flags &= ~(uint32_t)BLOCK_ON_PATH;
		work->low[block] = work->rings;
		work->folded[work->folded_count++] = block;
	} while (block != root);
	work->rings++;
}

/* Tarjan's walk from one block, with a path of our own in place of recursion: a list may be millions long. */
static void walk(struct work *work, uint32_t from, uint32_t *seen)
{
	uint64_t depth = 0;
	work->path[depth++] = block_cursor_at(from);
	open_block(work, from, seen);
	while (depth && !out_of_time(work)) {
		struct block_cursor *at = &work->path[depth - 1];
		uint32_t here = at->block;
		uint32_t next = block_cursor_next(work->blocks, at);
		if (next == BLOCK_NONE) {
			bool is_root = work->low[here] == work->order[here];
			uint32_t low = work->low[here];
			if (is_root)
				fold(work, here);
			if (--depth && !is_root) {
				uint32_t above = work->path[depth - 1].block;
				work->low[above] = MIN_OF(work->low[above], low);
			}
		} else if (!is_lost(work, next)) {
			continue;
		} else if (!work->order[next]) {
			open_block(work, next, seen);
			work->path[depth++] = block_cursor_at(next);
		} else if (work->blocks->at[next].flags & BLOCK_ON_PATH) {
			work->low[here] = MIN_OF(work->low[here], work->order[next]);
		}
	}
}

/* The site with the most bytes in a ring of `count` blocks; the lowest of equals. */
static site_id leading_site(struct work *work, const uint32_t *ring, uint64_t count)
{
	const struct block *blocks = work->blocks->at;
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

static void add_direct(struct group *group, const struct block *block)
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
	struct blocks *blocks = work->blocks;
	uint32_t number = work->low[ring[0]];
	bool direct = !work->owner[number];
	if (direct)
		work->owner[number] = group_of_site(work, groups, leading_site(work, ring, count));
	uint32_t owner = work->owner[number];
	if (!owner)
		return;
	struct group *group = &groups->at[owner - 1];
	group->cycle |= direct && count > 1;
	for (uint64_t i = 0; i < count && !out_of_time(work); i++) {
		const struct block *block = &blocks->at[ring[i]];
		if (direct) {
			add_direct(group, block);
		} else {
			group->indirect_bytes += block->bytes;
			group->indirect_count++;
		}
		struct block_cursor cursor = block_cursor_at(ring[i]);
		uint32_t next;
		while ((next = block_cursor_next(blocks, &cursor)) != BLOCK_NONE)
			if (is_lost(work, next) && !work->owner[work->low[next]])
				work->owner[work->low[next]] = owner;
	}
}

static void count_rings(struct work *work, struct groups *groups)
{
	for (uint64_t end = work->folded_count; end && !work->expired;) {
		uint64_t first = end - 1;
		while (first && work->low[work->folded[first - 1]] == work->low[work->folded[end - 1]])
			first--;
		count_ring(work, groups, &work->folded[first], end - first);
		end = first;
	}
}

static bool before(const void *a, const void *b, void *data)
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
	if (!groups->failed && work.lost) {
		uint32_t seen = 0;
		for (uint64_t i = 0; i < blocks->count && !work.expired; i++)
			if (is_lost(&work, (uint32_t)i) && !work.order[i])
				walk(&work, (uint32_t)i, &seen);
		if (!work.expired)
			count_rings(&work, groups);
		groups->failed = work.expired;
		sort_items(groups->at, groups->count, sizeof *groups->at, before, NULL);
	}
	work_release(&work);
}
