/*
 * thread-leak: joinable threads that ended and that nobody joined nor detached; each
 * keeps its stack for as long as the process lives. Threads created from the same
 * stack are one finding. A process that was killed might still have joined them, and
 * so might one that exits while other threads go on, had it been given a moment more.
 */
#include "base/sort.h"
#include "reporter/detect/detection.h"

/* Chosen somewhat arbitrarily: longer than a thread takes from another one's end to the join, shorter than a test. */
#define SETTLE_NS (100 * NSEC_PER_MSEC)

static bool is_leaked(const struct snap_thread *thread)
{
	return thread->state == THREAD_ENDED && !thread->torn &&
	       !(thread->flags & (THREAD_DETACHED | THREAD_JOINED | THREAD_FOREIGN | THREAD_MAIN));
}

static bool is_same_place(const struct snap_thread *left, const struct snap_thread *right)
{
	return left->created_stack == right->created_stack && left->start_routine == right->start_routine;
}

/* By place, the one that ended first in front. */
static bool leaked_before(const void *a, const void *b, void *data)
{
	const struct snapshot *snapshot = data;
	const struct snap_thread *left = &snapshot->threads[*(const uint32_t *)a];
	const struct snap_thread *right = &snapshot->threads[*(const uint32_t *)b];
	if (left->created_stack != right->created_stack)
		return left->created_stack < right->created_stack;
	if (left->start_routine != right->start_routine)
		return left->start_routine < right->start_routine;
	return left->ended != right->ended ? left->ended < right->ended : left->id < right->id;
}

static void report(struct detection *run, const uint32_t *threads, uint32_t count)
{
	const struct snap_thread *first = &run->snapshot->threads[threads[0]];
	struct finding *finding = finding_begin(run->list, FINDING_thread_leak, run->snapshot, 1);
	if (!finding)
		return;
	finding->thread = first->id;
	finding->since = first->ended;
	finding->count = count;
	finding->flags = FOUND_AT_EXIT;
	finding->key = hash_add(hash_add(detection_key(FINDING_thread_leak), first->created_stack),
				first->start_routine);
	finding->witness = finding->key;
	struct finding_item *item = finding_add(finding, ROLE_created, 1);
	finding_item_thread(item, first);
	item->stack = first->created_stack;
	item->since = first->started;
	item->count = count;
	item->flags |= ITEM_SUBJECT;
}

void detect_thread_leak(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	if (!detection_ended_orderly(run))
		return;
	uint32_t *leaked = arena_array(run->arena, snapshot->thread_count, sizeof(*leaked));
	uint32_t count = 0;
	if (!leaked) {
		run->list->incomplete = true;
		return;
	}
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		if (is_leaked(&snapshot->threads[i]))
			leaked[count++] = i;
	sort_items(leaked, count, sizeof(*leaked), leaked_before, (void *)snapshot);
	for (uint32_t first = 0, next; first < count; first = next) {
		next = first + 1;
		while (next < count &&
		       is_same_place(&snapshot->threads[leaked[first]], &snapshot->threads[leaked[next]]))
			next++;
		/* The first to end; those after it of the same place are counted with it. */
		if (snapshot->threads[leaked[first]].ended + SETTLE_NS > snapshot->now)
			continue;
		report(run, &leaked[first], next - first);
	}
}
