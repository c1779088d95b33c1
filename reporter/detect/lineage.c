#include "reporter/detect/lineage.h"

#include <string.h>

#include "base/context.h"

/* Entries looked at in one run. */
#define WORK_MOST (UINT64_C(1) << 24)

/* Threads that can be followed; ids beyond, in damaged recordings too, are said to overlap with nobody. */
#define THREADS_MOST (1u << 20)

#define NEVER UINT32_MAX

bool lineage_load(struct lineage *lineage, const struct view *view, struct arena *arena)
{
	uint32_t most = 1;
	*lineage = (struct lineage){
		.view = view,
		.count = (uint32_t)(view_used(view, REC_LINEAGE) / sizeof(struct rec_lineage)),
		.cut = atomic_load_explicit(&view->header->tables[REC_LINEAGE].lost, memory_order_relaxed),
	};
	for (uint32_t i = 0; i < lineage->count; i++) {
		const struct rec_lineage *entry = view_lineage(view, i);
		if (entry && entry->of < THREADS_MOST)
			most = MAX_OF(most, entry->of);
		if (entry && entry->by < THREADS_MOST)
			most = MAX_OF(most, entry->by);
	}
	lineage->threads = most + 1;
	lineage->after = arena_array(arena, lineage->threads, sizeof(*lineage->after));
	return lineage->after;
}

/* Whether all that `thread` does at `time` and later comes after what `first` was seen doing. */
static bool is_before(struct lineage *lineage, const struct rec_sight *first, thread_id thread, uint32_t time)
{
	uint32_t *after = lineage->after;
	/* Threads that no entry speaks of have nothing before or after them. */
	if (first->thread >= lineage->threads || thread >= lineage->threads)
		return false;
	memset(after, 0xff, lineage->threads * sizeof(*after));
	after[first->thread] = first->time;
	for (uint32_t i = first->time; i < lineage->count; i++) {
		const struct rec_lineage *entry = view_lineage(lineage->view, i);
		if (!entry || entry->by >= lineage->threads || entry->of >= lineage->threads)
			continue;
		if (entry->kind == LINEAGE_CREATED && after[entry->by] <= i)
			after[entry->of] = 0;
		else if (entry->kind == LINEAGE_JOINED && after[entry->of] != NEVER)
			after[entry->by] = MIN_OF(after[entry->by], i + 1);
	}
	lineage->work += lineage->count - MIN_OF(first->time, lineage->count) + lineage->threads / 8;
	return after[thread] <= time;
}

bool lineage_overlap(struct lineage *lineage, const struct rec_sight *one, const struct rec_sight *other)
{
	if (one->thread >= THREADS_MOST || other->thread >= THREADS_MOST || lineage->work > WORK_MOST)
		return false;
	if (lineage->cut && (one->time >= lineage->count || other->time >= lineage->count))
		return false;
	return !is_before(lineage, one, other->thread, other->time) &&
	       !is_before(lineage, other, one->thread, one->time);
}
