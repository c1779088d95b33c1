/*
 * What hooks caught on the spot (registry/misuse.h), as findings. Nothing is judged here: a hook notes only what
 * is wrong by itself.
 */
#include "registry/misuse.h"

#include <string.h>

#include "reporter/detect/detection.h"

#define PART_NONE ROLE_COUNT
#define ROLE_NONE PART_NONE

static const struct {
	uint8_t finding;
	uint8_t roles[REC_MISUSE_PARTS];
} sorts[MISUSE_COUNT] = {
#define MISUSE(id, becomes, first, second, third) \
	[MISUSE_##id] = { FINDING_##becomes, { ROLE_##first, ROLE_##second, ROLE_##third } },
#include "registry/misuses.def"
};

static text_id object_name(const struct view *view, uint64_t handle, unsigned kind)
{
	const struct rec_object *object = view_object_find(view, handle, kind);
	if (!object || !object->name)
		object = view_object_find(view, handle, KIND_NONE);
	return object ? object->name : 0;
}

static void add_part(struct detection *run, struct finding *finding, const struct rec_misuse *misuse,
		     unsigned part)
{
	const struct rec_misuse_part *from = &misuse->parts[part];
	unsigned role = sorts[misuse->kind].roles[part];
	if (role >= ROLE_COUNT || (part > 0 && !from->thread && !from->stack && !from->object_kind))
		return;
	struct finding_item *item = finding_add(finding, role, REC_MISUSE_PARTS);
	if (!item)
		return;
	item->thread = from->thread;
	const struct snap_thread *thread = snapshot_thread(run->snapshot, from->thread);
	if (thread)
		finding_item_thread(item, thread);
	else if (from->thread)
		item->flags |= ITEM_ENDED;
	const char *name = view_text(run->snapshot->view, from->thread_name);
	if (!*item->thread_name)
		memcpy(item->thread_name, name, strnlen(name, sizeof(item->thread_name) - 1));
	bool is_own = from->object_kind != KIND_NONE;
	unsigned kind = is_own ? from->object_kind : misuse->object_kind;
	item->object_kind = kind < KIND_COUNT ? (uint8_t)kind : KIND_NONE;
	item->handle = is_own ? from->handle : misuse->handle;
	item->name =
	    misuse->name && !is_own ? misuse->name : object_name(run->snapshot->view, item->handle, kind);
	item->place = is_own ? from->place : misuse->parts[0].place;
	item->op = from->op < OP_COUNT ? from->op : OP_none;
	item->mode = from->mode;
	item->stack = from->stack;
	item->since = from->at;
	item->serial = from->serial;
	if (part == 0) {
		item->flags |= ITEM_SUBJECT;
		item->amount = misuse->amount;
	}
}

static void report(struct detection *run, const struct rec_misuse *misuse, uint32_t count)
{
	struct finding *finding =
	    finding_begin(run->list, sorts[misuse->kind].finding, run->snapshot, REC_MISUSE_PARTS);
	if (!finding)
		return;
	finding->thread = misuse->parts[0].thread;
	finding->since = misuse->parts[0].at;
	finding->count = count;
	finding->amount = misuse->amount;
	finding->sort = (uint8_t)misuse->flags;
	finding->offset = misuse->offset;
	finding->key = hash_add(detection_key(sorts[misuse->kind].finding), misuse->object_kind);
	for (unsigned i = 0; i < REC_MISUSE_PARTS; i++) {
		finding->key = hash_add(finding->key, misuse->parts[i].stack);
		add_part(run, finding, misuse, i);
	}
	finding->witness = finding->key;
}

/*
 * A program may ask for what it can't get, to see that it is refused, or because it lives with less. It is told where it comes
 * to a bad end before it has done much else: killed, aborted, or with a status that is not 0.
 */
static bool is_meant(const struct detection *run, const struct rec_misuse *misuse)
{
	const struct rec_header *header = run->snapshot->view->header;
	if (misuse->kind != MISUSE_bad_size || misuse->flags == MISUSE_ROUNDED)
		return false;
	if (!run->at_end || header->state == REC_EXECED || header->exit_code == 0)
		return true;
	/* With a status that nobody has seen: what is refused before main is noted too early for that. */
	if (header->exit_code < 0 && (header->flags & REC_EXITING))
		return true;
	uint32_t made = (uint32_t)run->snapshot->total_blocks - misuse->parts[1].serial;
	return made > MISUSE_SIZE_BLOCKS;
}

void detect_misuse(struct detection *run)
{
	const struct view *view = run->snapshot->view;
	if (!view || (run->limits->misuse_news && run->limits->misuse_news == view->header->misuse_news))
		return;
	const struct rec_misuse *misuse;
	for (uint32_t i = 0; (misuse = view_misuse(view, i)); i++) {
		uint32_t count = atomic_load_explicit(&misuse->count, memory_order_acquire);
		if (count && misuse->kind < MISUSE_COUNT && !is_meant(run, misuse))
			report(run, misuse, count);
	}
}
