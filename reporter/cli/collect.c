#include "reporter/cli/collect.h"

#include <string.h>

#include "base/hash.h"
#include "reporter/detect/detect.h"

/* -- which incidents there are --------------------------------------------- */

static uint32_t *slot_of(const struct collection *collection, const struct finding *finding)
{
	uint64_t at = hash_add(finding->key, finding->kind);
	for (;; at++) {
		uint32_t *slot = &collection->slots[at & (collection->slot_count - 1)];
		const struct finding *there = *slot ? collection->found[*slot - 1] : NULL;
		if (!there || (there->kind == finding->kind && there->key == finding->key))
			return slot;
	}
}

/* Where the incident of `finding` is in the collection; `count`: it is new. */
static uint32_t place_of(const struct collection *collection, const struct finding *finding)
{
	/* Without a key it is an event of its own. */
	uint32_t slot = finding->key && collection->slot_count ? *slot_of(collection, finding) : 0;
	return slot ? slot - 1 : collection->count;
}

/* Room for twice as many findings, and a table at most half full to find them by. */
static bool grow(struct collection *collection)
{
	uint32_t room = collection->room ? collection->room * 2 : 64;
	const struct finding **found = arena_array(collection->arena, room, sizeof *found);
	uint32_t *slots = arena_array(collection->arena, room * 2, sizeof *slots);
	if (!found || !slots)
		return false;
	if (collection->count)
		memcpy(found, collection->found, collection->count * sizeof *found);
	collection->found = found;
	collection->room = room;
	collection->slots = slots;
	collection->slot_count = room * 2;
	for (uint32_t i = 0; i < collection->count; i++)
		if (found[i]->key)
			*slot_of(collection, found[i]) = i + 1;
	return true;
}

static void append(struct collection *collection, const struct finding *finding)
{
	if (collection->count == collection->room && !grow(collection)) {
		collection->incomplete = true;
		return;
	}
	collection->found[collection->count++] = finding;
	if (finding->key)
		*slot_of(collection, finding) = collection->count;
}

/* The log itself does not number its entries: their place does. */
static const struct finding *numbered(struct collection *collection, const struct finding *finding,
				      uint32_t number)
{
	struct finding *copy = arena_alloc(collection->arena, finding->bytes);
	if (!copy) {
		collection->incomplete = true;
		return finding;
	}
	memcpy(copy, finding, finding->bytes);
	copy->number = number;
	return copy;
}

/* The end of an incident may be told without its story: the story told before stays, with the end added. */
static const struct finding *ended(struct collection *collection, const struct finding *story,
				   const struct finding *end)
{
	if (end->item_count || !(end->flags & FOUND_OVER))
		return end;
	struct finding *copy = arena_alloc(collection->arena, story->bytes);
	if (!copy) {
		collection->incomplete = true;
		return story;
	}
	memcpy(copy, story, story->bytes);
	copy->flags |= FOUND_OVER;
	copy->over = end->over;
	copy->number = end->number;
	return copy;
}

void collect_log(struct collection *collection, const struct view *view, uint32_t since)
{
	uint32_t number = 0;
	for (const struct finding *finding = NULL; (finding = finding_next(view, finding));) {
		if (++number <= since)
			continue;
		const struct finding *mine = numbered(collection, finding, number);
		uint32_t at = place_of(collection, mine);
		if (at < collection->count)
			collection->found[at] = ended(collection, collection->found[at], mine);
		else
			append(collection, mine);
	}
	collection->newest = MAX_OF(collection->newest, number);
}

void collect_look(struct finding_list *ret_list, const struct snapshot *snapshot, struct arena *arena)
{
	struct limits limits = { 0 };
	limits_from_recording(&limits, snapshot->view);
	*ret_list = (struct finding_list){ .arena = arena };
	detect_live(snapshot, &limits, ret_list);
}

static bool seen_before(const struct finding_list *before, const struct finding *finding)
{
	for (uint32_t i = 0; i < before->count; i++)
		if (before->found[i]->kind == finding->kind && before->found[i]->key == finding->key &&
		    before->found[i]->witness == finding->witness)
			return true;
	return false;
}

void collect_add(struct collection *collection, const struct finding *finding)
{
	uint32_t at = place_of(collection, finding);
	/* What the target said itself, it said when it happened; but this is how it is now. It stays one incident. */
	if (at == collection->count)
		append(collection, finding);
	else if (!(collection->found[at]->flags & FOUND_OVER))
		collection->found[at] = numbered(collection, finding, collection->found[at]->number);
}

void collect_live(struct collection *collection, const struct snapshot *snapshot,
		  const struct finding_list *before)
{
	struct finding_list list;
	collect_look(&list, snapshot, collection->arena);
	collection->incomplete |= list.incomplete;
	for (uint32_t i = 0; i < list.count; i++)
		if (detect_looks(list.found[i]->kind) < 2 || seen_before(before, list.found[i]))
			collect_add(collection, list.found[i]);
}

void collect_dead(struct collection *collection, const struct snapshot *snapshot)
{
	struct finding_list list;
	struct limits limits = { 0 };
	collect_look(&list, snapshot, collection->arena);
	limits_from_recording(&limits, snapshot->view);
	detect_end(snapshot, &limits, &list);
	collection->incomplete |= list.incomplete;
	for (uint32_t i = 0; i < list.count; i++)
		collect_add(collection, list.found[i]);
}
