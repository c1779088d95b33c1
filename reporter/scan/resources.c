#include "reporter/scan/resources.h"

#include "base/hash.h"
#include "registry/opened.h"
#include "registry/recording.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/numbers.h"

/* The block whose being lost says that the resource is; BLOCK_NONE: it is not judged by that. */
static uint32_t block_of(const struct rec_hold *resource, const struct blocks *blocks)
{
	if (!kind_has(resource->kind, KIND_IS_RESOURCE) || kind_has(resource->kind, KIND_IS_SIZED) ||
	    resource->kind == KIND_DESCRIPTOR || (resource->flags & HOLD_BY_NUMBER))
		return BLOCK_NONE;
	return blocks_find(blocks, resource->handle);
}

void resources_enter(const struct snapshot *snapshot, struct blocks *blocks)
{
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *resource = &snapshot->resources[i];
		uint64_t start;
		uint32_t block = blocks_find_start(blocks, resource->handle, &start);
		if (kind_has(resource->kind, KIND_IS_MEMORY) && block != BLOCK_NONE &&
		    start == resource->handle)
			blocks_flag(blocks, block, BLOCK_RESOURCE);
	}
}

/* What iterates must be closed even where the program still knows it. */
static bool must_be_closed(const struct rec_hold *resource)
{
	return kind_has(resource->kind, KIND_IS_ITERATES) && !kind_has(resource->kind, KIND_IS_MEMORY);
}

void resources_judge(const struct snapshot *snapshot, struct mark *mark, uint64_t *ret_verdicts)
{
	const struct blocks *blocks = mark->blocks;
	/* All verdicts first: a lost resource may hold the only pointer to another. */
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		uint32_t block = block_of(&snapshot->resources[i], blocks);
		if (snapshot->resources[i].kind == KIND_DESCRIPTOR)
			ret_verdicts[i] =
			    mark->numbers && !numbers_known(mark->numbers, snapshot->resources[i].handle)
				? RESOURCE_UNJUDGED
				: RESOURCE_KEPT;
		else if (block == BLOCK_NONE)
			ret_verdicts[i] = RESOURCE_UNJUDGED;
		else if (!(blocks_flags(blocks, block) & BLOCK_REACHED))
			ret_verdicts[i] = RESOURCE_LOST;
		else
			ret_verdicts[i] =
			    must_be_closed(&snapshot->resources[i]) ? RESOURCE_UNJUDGED : RESOURCE_KEPT;
	}
	mark->count_bytes = true;
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		if (ret_verdicts[i] != RESOURCE_LOST)
			continue;
		uint64_t before = mark->reached_bytes;
		mark_word(mark, snapshot->resources[i].handle);
		mark_run(mark);
		ret_verdicts[i] += mark->reached_bytes - before;
	}
}

/* Whether the thread that opened it can still give it back. */
static bool owner_is_over(const struct snapshot *snapshot, thread_id owner, int32_t caller)
{
	const struct snap_thread *thread = snapshot_thread(snapshot, owner);
	return !thread || thread->state == THREAD_ENDED || thread->tid == caller;
}

static bool is_lost(const struct snapshot *snapshot, uint32_t number, const uint64_t *verdicts,
		    int32_t caller)
{
	const struct rec_hold *resource = &snapshot->resources[number];
	uint64_t verdict = verdicts ? verdicts[number] : RESOURCE_UNJUDGED;
	if (verdict != RESOURCE_UNJUDGED || !kind_has(resource->kind, KIND_IS_RESOURCE))
		return verdict >= RESOURCE_LOST;
	if (resource->flags & HOLD_BY_MEMORY || kind_has(resource->kind, KIND_IS_SIZED))
		return false; /* told with its memory (mappings.h) */
	/* Only who has looked for the number can say that it is lost; and what is opened once may be meant to stay. */
	if (resource->kind == KIND_DESCRIPTOR &&
	    (!verdicts || !opened_again(resource->stack) || !numbers_lose(caller, resource->handle)))
		return false;
	return !kind_has(resource->kind, KIND_IS_MEMORY) && owner_is_over(snapshot, resource->owner, caller);
}

static uint64_t key_of(const struct rec_hold *resource)
{
	return hash_add(hash_add(FINDING_iterator_leak, resource->kind), resource->stack);
}

/* Where the finding of that key is in what this call has added; NULL: nowhere yet. */
static struct finding *find_added(const struct finding_list *list, uint32_t from, uint64_t key)
{
	for (uint32_t i = from; i < list->count; i++)
		if (list->found[i]->key == key)
			return list->found[i];
	return NULL;
}

#define KINDS_MOST 1000u /* findings; what is beyond them is counted with the last */

/* What it is called; of a descriptor, what it is open on. */
static text_id name_of(const struct rec_hold *resource, int32_t tid)
{
	char target[256];
	struct text text = TEXT_OF(target);
	return resource->kind == KIND_DESCRIPTOR && numbers_target(tid, resource->handle, &text)
		   ? recording_text(target)
		   : resource->name;
}

void resources_add_lost(const struct snapshot *snapshot, const struct rec_hold *resource, uint64_t dragged,
			int32_t tid, uint32_t flags, uint32_t from, struct finding_list *list)
{
	text_id name = name_of(resource, tid);
	uint64_t key = key_of(resource);
	struct finding *finding = find_added(list, from, key);
	if (!finding && list->count - from < KINDS_MOST) {
		finding = finding_begin(list, FINDING_iterator_leak, snapshot, 1);
		struct finding_item *item = finding_add(finding, ROLE_opened, 1);
		if (!item)
			return;
		finding->key = finding->witness = key;
		finding->flags = flags;
		finding->thread = resource->owner;
		finding->since = resource->since;
		finding_item_hold(item, resource);
		item->name = name;
		item->flags |= ITEM_SUBJECT;
		const struct snap_thread *thread = snapshot_thread(snapshot, resource->owner);
		if (thread)
			finding_item_thread(item, thread);
		else
			item->thread = resource->owner;
	} else if (!finding) {
		finding = list->found[list->count - 1];
	}
	if (finding->items[0].name != name)
		finding->items[0].flags |= ITEM_OF_SEVERAL_NAMES;
	finding->count++;
	finding->amount += dragged;
}

void resources_report(const struct snapshot *snapshot, const uint64_t *verdicts, int32_t caller,
		      uint32_t flags, struct finding_list *list)
{
	uint32_t from = list->count;
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		uint64_t dragged = verdicts && verdicts[i] > RESOURCE_LOST ? verdicts[i] - RESOURCE_LOST : 0;
		if (is_lost(snapshot, i, verdicts, caller))
			resources_add_lost(snapshot, &snapshot->resources[i], dragged, caller, flags, from,
					   list);
	}
}
