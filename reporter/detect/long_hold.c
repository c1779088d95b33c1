/*
 * long-hold: a lock held for long while others wait for it, by a thread that runs
 * or is blocked for less than `blocked` at a time. What a stuck-holder or a deadlock
 * accounts for is left out, and so is what is merely held meanwhile by a thread that
 * waits for another lock held for long.
 *
 * One finding an object: of several readers the one that has held it longest is the subject.
 */
#include "reporter/detect/detection.h"

#define ACCOUNTED_FOR (MARK_DEADLOCKED | MARK_ORPHANED | MARK_STUCK | MARK_BEHIND)

static bool is_long(const struct detection *run, const struct rec_hold *hold)
{
	return detection_age(run, hold->since) >= run->limits->held;
}

static bool is_consequence(const struct detection *run, uint32_t thread)
{
	struct edge_walk walk = graph_blockers(thread);
	struct edge edge;
	while (detection_waits(&run->snapshot->threads[thread]) && detection_next_cause(run, &walk, &edge))
		if (edge.type == EDGE_LOCK && is_long(run, edge.hold))
			return true;
	return false;
}

static bool is_reportable(const struct detection *run, uint32_t thread, const struct rec_hold *hold)
{
	return kind_has(hold->kind, KIND_IS_OWNED | KIND_IS_BLOCKS) && is_long(run, hold) &&
	       graph_holds(run->graph, thread, hold) && graph_is_wanted(run->graph, thread, hold);
}

/* Whether another hold of the same object, as long and older, makes the finding. */
static bool is_older(const struct rec_hold *left, const struct rec_hold *right)
{
	return left->since != right->since ? left->since < right->since : left->owner < right->owner;
}

static bool another_is_subject(const struct detection *run, const struct waiter *waiter,
			       const struct rec_hold *hold)
{
	struct edge_walk walk = graph_blockers(waiter->thread);
	struct edge edge;
	while (graph_next(run->graph, &walk, &edge))
		if (edge.type == EDGE_LOCK && edge.hold != hold && is_older(edge.hold, hold) &&
		    run->snapshot->threads[edge.to].state == THREAD_RUNNING)
			return true;
	return false;
}

/* Further holders of the object that the first waiter waits for. */
static uint32_t add_others(struct detection *run, struct finding *finding, uint32_t room, uint32_t thread,
			   const struct waiter *waiter)
{
	struct edge_walk walk = graph_blockers(waiter->thread);
	struct edge edge;
	uint32_t count = 0;
	while (graph_next(run->graph, &walk, &edge)) {
		if (edge.type != EDGE_LOCK || edge.to == thread || !is_long(run, edge.hold))
			continue;
		count++;
		if (!finding)
			continue;
		detection_add_hold(run, finding, ROLE_acquired, room, &run->snapshot->threads[edge.to],
				   edge.hold);
		detection_add_now(run, finding, room, edge.to);
	}
	return count;
}

static void report(struct detection *run, uint32_t thread, const struct rec_hold *hold)
{
	const struct snapshot *snapshot = run->snapshot;
	const struct snap_thread *holder = &snapshot->threads[thread];
	struct waiter *waiters;
	uint32_t count = graph_waiters(run->graph, thread, hold, run->arena, &waiters);
	if (!count || another_is_subject(run, &waiters[0], hold))
		return;
	uint32_t room = 2 + 2 * add_others(run, NULL, 0, thread, &waiters[0]) + count;
	struct finding *finding = finding_begin(run->list, FINDING_long_hold, snapshot, room);
	if (!finding)
		return;
	finding->thread = holder->id;
	finding->since = hold->since;
	finding->limit = run->limits->held;
	finding->count = count;
	finding->key = hash_add(hash_add(detection_key(FINDING_long_hold), holder->id), hold->serial);
	finding->witness = finding->key;
	detection_add_hold(run, finding, ROLE_acquired, room, holder, hold)->flags |= ITEM_SUBJECT;
	detection_add_now(run, finding, room, thread);
	add_others(run, finding, room, thread, &waiters[0]);
	detection_add_waiters(run, finding, room, waiters, count);
	for (uint32_t i = 0; i < count; i++)
		if (waiters[i].direct && hold->mode == MODE_SHARED &&
		    snapshot->threads[waiters[i].thread].wait.mode == MODE_EXCLUSIVE)
			finding->flags |= FOUND_STARVED_WRITER;
}

void detect_long_hold(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	if (!run->limits->held)
		return;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		/* What an ended thread left locked is held-at-exit. */
		if (thread->torn || thread->state == THREAD_ENDED || run->marks[i] & ACCOUNTED_FOR ||
		    is_consequence(run, i))
			continue;
		for (uint32_t h = 0; h < thread->hold_count; h++)
			if (is_reportable(run, i, &thread->holds[h]))
				report(run, i, &thread->holds[h]);
	}
}
