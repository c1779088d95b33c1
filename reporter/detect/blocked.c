/*
 * blocked: threads that have been blocked past `idle_blocked` and hold nothing. Off
 * unless asked for: this is what a worker looks like that has nothing to do. Threads
 * that wait in the same place are one finding; its item is the one that has waited longest.
 */
#include "base/sort.h"
#include "reporter/detect/detection.h"

/* Idle or waiting for somebody, it is said elsewhere. */
#define ACCOUNTED_FOR (MARK_DEADLOCKED | MARK_ORPHANED | MARK_STUCK | MARK_BEHIND)

static bool is_idle(const struct detection *run, uint32_t thread)
{
	const struct snap_thread *waiter = &run->snapshot->threads[thread];
	return detection_waits(waiter) &&
	       detection_age(run, waiter->wait.since) >= run->limits->idle_blocked &&
	       !(run->marks[thread] & ACCOUNTED_FOR) && !detection_holds_something(run, thread);
}

/* By place, who has waited longest first. */
static bool blocked_before(const void *a, const void *b, void *data)
{
	const struct snapshot *snapshot = data;
	const struct snap_thread *left = &snapshot->threads[*(const uint32_t *)a];
	const struct snap_thread *right = &snapshot->threads[*(const uint32_t *)b];
	if (left->wait.stack != right->wait.stack)
		return left->wait.stack < right->wait.stack;
	return left->wait.since != right->wait.since ? left->wait.since < right->wait.since
						     : left->id < right->id;
}

static void report(struct detection *run, const uint32_t *threads, uint32_t count)
{
	const struct snap_thread *first = &run->snapshot->threads[threads[0]];
	struct finding *finding = finding_begin(run->list, FINDING_blocked, run->snapshot, 1);
	if (!finding)
		return;
	finding->thread = first->id;
	finding->since = first->wait.since;
	finding->limit = run->limits->idle_blocked;
	finding->count = count;
	/* A stack is one place; without one, the wait is. */
	finding->key = hash_add(detection_key(FINDING_blocked), first->wait.stack);
	if (!first->wait.stack)
		finding->key = hash_add(hash_add(finding->key, first->id), first->wait.serial);
	finding->witness = hash_add(hash_add(finding->key, first->id), first->wait.serial);
	struct finding_item *item = detection_add_wait(run, finding, ROLE_blocked, 1, threads[0], NULL);
	item->count = count;
	item->flags |= ITEM_SUBJECT;
}

void detect_blocked(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	if (!run->limits->idle_blocked)
		return;
	uint32_t *idle = arena_array(run->arena, snapshot->thread_count, sizeof(*idle));
	uint32_t count = 0;
	if (!idle) {
		run->list->incomplete = true;
		return;
	}
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		if (is_idle(run, i))
			idle[count++] = i;
	sort_items(idle, count, sizeof(*idle), blocked_before, (void *)snapshot);
	for (uint32_t first = 0, next; first < count; first = next) {
		stack_id place = snapshot->threads[idle[first]].wait.stack;
		next = first + 1;
		while (place && next < count && snapshot->threads[idle[next]].wait.stack == place)
			next++;
		report(run, &idle[first], next - first);
	}
}
