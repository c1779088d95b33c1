#include "reporter/scan/verdict.h"

#include <errno.h>
#include <link.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "options.h"
#include "platform/guard.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/scan/group_rest.h"
#include "reporter/scan/interior.h"
#include "reporter/scan/links.h"
#include "reporter/scan/numbers.h"
#include "reporter/scan/pools.h"
#include "reporter/scan/resources.h"
#include "reporter/scan/roots.h"

struct verdict *verdict_make(const struct snapshot *snapshot, uint64_t suspect_room)
{
	uint64_t sites = (uint64_t)view_sites(snapshot->view) + 1;
	uint64_t inner_sites = options.possible_leaks ? sites : 0;
	uint64_t mappings = mappings_count(snapshot);
	uint64_t bytes = sizeof(struct verdict) + (sites + inner_sites) * sizeof(struct group) +
			 snapshot->resource_count * sizeof(uint64_t) + suspect_room * sizeof(struct suspect) +
			 mappings * sizeof(struct lost_mapping) +
			 (suspect_room ? snapshot->resource_count * sizeof(struct lost_resource) : 0);
	long at = sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct verdict *verdict = (unsigned long)at >= -4095ul ? NULL : (struct verdict *)at;
	if (!verdict)
		return NULL;
	verdict->error = -EINPROGRESS;
	verdict->bytes = bytes;
	verdict->groups = (struct group *)(verdict + 1);
	verdict->group_room = sites;
	verdict->inner = verdict->groups + sites;
	verdict->inner_room = inner_sites;
	verdict->resources = (uint64_t *)(verdict->inner + inner_sites);
	verdict->suspects = (struct suspect *)(verdict->resources + snapshot->resource_count);
	verdict->suspect_room = suspect_room;
	verdict->mappings.at = (struct lost_mapping *)(verdict->suspects + suspect_room);
	verdict->mappings.room = mappings;
	verdict->lost.at = (struct lost_resource *)(verdict->mappings.at + mappings);
	verdict->lost.room = suspect_room ? snapshot->resource_count : 0;
	return verdict;
}

void verdict_free(struct verdict *verdict)
{
	if (verdict)
		sys_call2(SYS_munmap, verdict, verdict->bytes);
}

/* -- two looks --------------------------------------------------------------- */

/* All that are not BLOCK_REACHED now, as far as there is room. Return: how many. */
static uint64_t note_suspects(struct suspect *suspects, uint64_t room, const struct blocks *blocks)
{
	struct block_walk walk = { 0 };
	uint64_t count = 0;
	while (count < room && blocks_next(blocks, &walk)) {
		struct allocation known;
		if (blocks_flags(blocks, walk.number) & BLOCK_REACHED || !image_known(walk.start, &known))
			continue;
		suspects[count++] = (struct suspect){
			.address = walk.start,
			.site = known.site,
			.born = known.born,
		};
	}
	return count;
}

static bool is_same(const struct suspect *suspect)
{
	struct allocation now;
	return image_known(suspect->address, &now) && now.site == suspect->site && now.born == suspect->born;
}

/* What nothing leads to now, but something did before, was on its way somewhere; it is not accused. */
static void clear_new_ones(struct blocks *blocks, const struct suspect *before, uint64_t count)
{
	uint64_t at = 0;
	for (struct block_walk walk = { 0 }; blocks_next(blocks, &walk);) {
		if (blocks_flags(blocks, walk.number) & BLOCK_REACHED)
			continue;
		while (at < count && before[at].address < walk.start)
			at++;
		if (at == count || before[at].address != walk.start || !is_same(&before[at]))
			blocks_flag(blocks, walk.number, BLOCK_REACHED);
	}
}

/* What is lost of all that was made since, whoever dragged it along. */
static void count_lost(struct verdict *verdict, const struct blocks *blocks)
{
	struct block_walk walk = { 0 };
	while (blocks_next(blocks, &walk)) {
		struct allocation known;
		if (!(blocks_flags(blocks, walk.number) & BLOCK_REACHED) && image_known(walk.start, &known) &&
		    known.born >= verdict->lost_from)
			verdict->lost_bytes += known.size;
	}
}

/* -- judging ----------------------------------------------------------------- */

struct court {
	struct verdict *verdict;
	struct image *image;
	const struct verdict *before;
	uint64_t memory; /* anonymous memory of the process when it began */
};

/* A copy of the process has what it shares with it from the beginning. */
static void note_memory(const struct court *court, uint64_t more)
{
	struct verdict *verdict = court->verdict;
	if (court->image->caller)
		return;
	uint64_t now = process_anonymous_bytes() + more;
	verdict->memory = MAX_OF(verdict->memory, now - MIN_OF(now, court->memory));
}

/* Of what is not BLOCK_REACHED now. */
static int group(const struct court *court, struct group *into, uint64_t room, uint64_t *ret_count)
{
	struct groups groups = { .at = into, .room = room };
	groups_make(&groups, &court->image->blocks, court->image->deadline);
	*ret_count = groups.count;
	note_memory(court, groups.memory);
	return groups.failed ? -ETIMEDOUT : 0;
}

static int group_lost(const struct court *court)
{
	struct verdict *verdict = court->verdict;
	struct blocks *blocks = &court->image->blocks;
	const struct verdict *before = court->before;
	if (before)
		clear_new_ones(blocks, before->suspects, before->suspect_count);
	verdict->suspect_count = note_suspects(verdict->suspects, verdict->suspect_room, blocks);
	pools_settle(court->image);
	return group(court, verdict->groups, verdict->group_room, &verdict->group_count);
}

/* The same of what is held by its middle. */
static int group_inner(const struct court *court)
{
	struct verdict *verdict = court->verdict;
	struct blocks *blocks = &court->image->blocks;
	const struct verdict *before = court->before;
	int error = interior_mark(court->image);
	if (error)
		return error;
	if (before)
		clear_new_ones(blocks, before->suspects + before->suspect_count, before->inner_suspect_count);
	verdict->inner_suspect_count = note_suspects(verdict->suspects + verdict->suspect_count,
						     verdict->suspect_room - verdict->suspect_count, blocks);
	return group(court, verdict->inner, verdict->inner_room, &verdict->inner_count);
}

/* Where a pointer may be that nobody has read, its block would seem to be held by another one. */
static bool seeks_inner(const struct image *image)
{
	return options.possible_leaks && image->threads_known && !image->heap_partial;
}

/* The loader's: above it lie the arguments, the environment and the auxiliary vector, which is a list of small numbers. */
extern void *__libc_stack_end __attribute__((weak));

#define ABOVE_STACK ((uint64_t)1 << 20)

/* What libc has at the thread pointer for itself; it is somewhat larger in every version so far. */
#define CONTROL_BYTES ((uint64_t)2048)

/* Of the calling thread: libc's data and ours. */
static void ignore_own(struct numbers *numbers)
{
	uint64_t own;
	__asm__("mov %%fs:0, %0" : "=r"(own));
	numbers_ignore(numbers, own, own + CONTROL_BYTES);
	numbers_ignore(numbers, (uintptr_t)&self, (uintptr_t)&self + sizeof self);
	if (&__libc_stack_end)
		numbers_ignore(numbers, (uintptr_t)__libc_stack_end,
			       (uintptr_t)__libc_stack_end + ABOVE_STACK);
}

#define LOADERS_MOST ((uint64_t)64 * 1024) /* more is somebody else's */

/* What the loader allocated before there was an allocator: where it has its list of the first modules. */
static void ignore_loaders_memory(struct numbers *numbers, const struct image *image)
{
	const struct map *last = NULL;
	for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next) {
		uint64_t address = (uintptr_t)module;
		const struct map *map = maps_find(&image->maps, address);
		if (map && map != last && map->end - map->start <= LOADERS_MOST &&
		    blocks_find(&image->blocks, address) == BLOCK_NONE)
			numbers_ignore(numbers, map->start, map->end);
		last = map;
	}
}

/* Numbers of descriptors are looked for as well, where any is open. */
static struct numbers *numbers_of(struct image *image)
{
	struct numbers *numbers = numbers_make(image->snapshot);
	if (numbers) {
		ignore_own(numbers);
		numbers_ignore(numbers, image->loader.start, image->loader.end);
		ignore_loaders_memory(numbers, image);
		numbers_polled(numbers, image->process);
	}
	return numbers;
}

/* All that can be reached is marked, and what becomes of all else that is judged by that is known. */
static int mark_all(const struct court *court, struct mark *mark)
{
	struct image *image = court->image;
	struct verdict *verdict = court->verdict;
	const struct verdict *before = court->before;
	resources_enter(image->snapshot, &image->blocks);
	image->orphans = &verdict->orphans;
	orphans_choose(image->orphans, image);
	/* Who may be an orphan is no root, and may know what would seem to be a ghost. */
	bool ghosts = image->seeks_ghosts && !image->orphans->candidate_count && ghosts_hold_back(image);
	int error = roots_mark(image, mark);
	if (error)
		return error;
	if (ghosts)
		ghosts_settle(&verdict->ghosts, image, mark, before ? &before->ghosts : NULL);
	links_mark(mark);
	orphans_settle(image->orphans, image, mark, before ? &before->orphans : NULL);
	if (image->orphans->candidate_count)
		links_mark(mark);
	/* A lost stream is lost memory, to who asks for nothing else. */
	if (!mark->expired && !verdict->lost_from) {
		resources_judge(image->snapshot, mark, verdict->resources);
		if (image->threads_known)
			lost_resources_settle(&verdict->lost, image->snapshot, verdict->resources,
					      before ? &before->lost : NULL);
		if (mark->extents)
			mappings_settle(&verdict->mappings, image, mark, before ? &before->mappings : NULL);
	}
	return mark->expired ? -ETIMEDOUT : 0;
}

static int judge_image(const struct court *court, struct numbers *numbers, struct extents *extents)
{
	struct image *image = court->image;
	struct verdict *verdict = court->verdict;
	struct mark mark;
	if (!image->blocks.count && !numbers && !extents->count)
		return 0;
	int error = mark_init(&mark, &image->blocks, image->deadline);
	if (error)
		return error;
	mark.numbers = numbers;
	mark.mask = options.pointer_mask;
	mark.exclusive = options.pointer_xor;
	if (extents->count) {
		image->extents = mark.extents = extents;
		mark.read_extent = roots_read_extent;
		mark.extent_data = image;
	}
	error = mark_all(court, &mark);
	verdict->block_count = image->blocks.count;
	verdict->read_bytes = mark.read_words * 8;
	note_memory(court, 0);
	mark_release(&mark);
	if (error)
		return error;
	verdict->block_bytes = image->blocks.bytes;
	if (verdict->lost_from) {
		pools_settle(image);
		count_lost(verdict, &image->blocks);
		return 0;
	}
	bool inner = seeks_inner(image);
	if (inner)
		interior_note_lost(&image->blocks);
	error = group_lost(court);
	/* What is lost is known by now, and stays told where there is no time for the rest. */
	if (!error && inner && (verdict->inner_error = group_inner(court)))
		verdict->inner_count = verdict->inner_suspect_count = 0;
	return error;
}

static int judge(const struct court *court)
{
	struct image *image = court->image;
	image->seeks_ghosts =
	    image->stop && !image->caller && !image->heap_partial && !court->verdict->lost_from;
	int error = image_take(image);
	if (error)
		return error;
	struct extents extents;
	struct numbers *numbers = numbers_of(image);
	error = mappings_choose(image, &extents);
	if (!error)
		error = judge_image(court, numbers, &extents);
	image->extents = NULL;
	mappings_free(&extents);
	numbers_free(numbers);
	return error;
}

static void judge_guarded(void *data)
{
	struct court *court = data;
	court->verdict->error = judge(court);
	image_release(court->image);
}

void verdict_reach(struct verdict *verdict, struct image *image, const struct verdict *before)
{
	struct court court = { .verdict = verdict, .image = image, .before = before };
	court.memory = image->caller ? 0 : process_anonymous_bytes();
	verdict->error = -EFAULT;
	guard_call(judge_guarded, &court);
}

/* -- findings ---------------------------------------------------------------- */

static stack_id stack_of_site(const struct snapshot *snapshot, site_id number)
{
	const struct rec_site *site = view_site(snapshot->view, number);
	return site ? site->stack : 0;
}

/* The thread with those low bits of its id; NULL: it is gone, or it can't be told. */
static const struct snap_thread *thread_of(const struct snapshot *snapshot, const struct group *group)
{
	return group->threads_differ ? NULL : snapshot_thread(snapshot, group->thread);
}

static void report_group(const struct snapshot *snapshot, const struct group *group,
			 struct verdict_manner manner, struct finding_list *list)
{
	const unsigned room = 1 + GROUP_OTHERS;
	struct finding *finding = finding_begin(list, manner.kind, snapshot, room);
	if (!finding)
		return;
	stack_id stack = stack_of_site(snapshot, group->site);
	finding->key = finding->witness = hash_add(finding->kind, stack);
	finding->flags = manner.flags | (group->cycle ? FOUND_CYCLE : 0) | (group->alike ? FOUND_ALIKE : 0);
	finding->amount = group->bytes;
	finding->count = group->count;
	finding->indirect = group->indirect_bytes;
	struct finding_item *item = finding_add(finding, ROLE_allocated, room);
	item->stack = stack;
	item->amount = group->bytes;
	item->count = group->alike ? group->alike + 1 : 0;
	item->flags = ITEM_SUBJECT;
	const struct snap_thread *thread = thread_of(snapshot, group);
	if (thread)
		finding_item_thread(item, thread);
	else if (!group->threads_differ)
		item->thread = group->thread;
	finding->thread = item->thread;
	for (unsigned i = 0; i < GROUP_OTHERS && group->others[i]; i++)
		finding_add(finding, ROLE_allocated, room)->stack = stack_of_site(snapshot, group->others[i]);
}

static void report_groups(const struct snapshot *snapshot, struct group *groups, uint64_t all,
			  struct verdict_manner manner, struct finding_list *list)
{
	uint64_t count = group_rest_fold(snapshot->view, groups, all);
	for (uint64_t i = 0; i < count; i++)
		if (groups[i].count > manner.unread)
			report_group(snapshot, &groups[i], manner, list);
}

void verdict_report(const struct verdict *verdict, const struct snapshot *snapshot,
		    struct verdict_manner manner, struct finding_list *list)
{
	orphans_report(&verdict->orphans, snapshot, manner.flags, list);
	ghosts_report(&verdict->ghosts, snapshot, manner.flags, list);
	lost_resources_report(&verdict->lost, snapshot, manner.flags, list);
	mappings_report(&verdict->mappings, snapshot, manner.kind, manner.flags, manner.unread, list);
	report_groups(snapshot, verdict->groups, verdict->group_count, manner, list);
	manner.kind = FINDING_possible_leak;
	manner.flags |= FOUND_INTERIOR;
	report_groups(snapshot, verdict->inner, verdict->inner_count, manner, list);
}

/* Those that a function's caller may have something in while it is blocked, the stack pointer aside, and some. */
#define REGISTERS_EACH 16

uint64_t verdict_unread(void)
{
	int others = process_threads() - 1;
	return REGISTERS_EACH * (uint64_t)MAX_OF(others, 1);
}

uint32_t verdict_degrade(int error)
{
	uint32_t why = error == -ETIMEDOUT || error == -EINPROGRESS ? REC_SCAN_TIMEOUT : REC_NO_SCAN;
	recording_degrade(why);
	return why;
}
