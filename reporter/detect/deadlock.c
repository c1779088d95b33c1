/*
 * deadlock: a cycle of threads that wait for one another, of any length and
 * through locks of any kind, joins, onces and the mutexes of condition waits; also
 * of one thread that waits for what it holds itself.
 *
 * One finding a knot: the cycle that closed first (its threads' waits are the
 * subjects), and behind it everyone who waits for a thread of the cycle.
 */
#include "reporter/detect/detection.h"

static struct finding_item *subject(struct finding_item *item)
{
	if (item)
		item->flags |= ITEM_SUBJECT;
	return item;
}

/* The cycle is told from the thread with the lowest id on. */
static uint32_t first_of(const struct edge *cycle, uint32_t length)
{
	uint32_t first = 0;
	for (uint32_t i = 1; i < length; i++)
		if (cycle[i].from < cycle[first].from)
			first = i;
	return first;
}

static void fill_cycle(struct detection *run, struct finding *finding, uint32_t room,
		       const struct edge *cycle, uint32_t length)
{
	const struct snapshot *snapshot = run->snapshot;
	uint32_t first = first_of(cycle, length);
	finding->key = finding->witness = detection_key(FINDING_deadlock);
	finding->thread = snapshot->threads[cycle[first].from].id;
	finding->count = length;
	finding->flags = FOUND_CYCLE;
	for (uint32_t i = 0; i < length; i++) {
		const struct edge *edge = &cycle[(first + i) % length];
		const struct edge *before = &cycle[(first + i + length - 1) % length];
		const struct snap_thread *thread = &snapshot->threads[edge->from];
		subject(detection_add_wait(run, finding, ROLE_waits, room, edge->from, edge));
		if (before->hold)
			detection_add_hold(run, finding, ROLE_acquired, room, thread, before->hold);
		finding->since = MAX_OF(finding->since, thread->wait.since);
		finding->key = hash_add(hash_add(finding->key, thread->id), thread->wait.serial);
		finding->witness = hash_add(hash_add(finding->witness, thread->id), thread->wait.serial);
		finding->witness = hash_add(finding->witness, before->hold ? before->hold->serial : 0);
	}
}

/*
 * Everyone else who waits for a thread of the cycle, once each; the threads of the cycle come out as
 * one another's waiters and are left out.
 */
static uint32_t find_victims(struct detection *run, const struct edge *cycle, uint32_t length,
			     struct waiter **ret_victims)
{
	uint32_t count = 0;
	bool *told = arena_array(run->arena, run->snapshot->thread_count, sizeof(*told));
	struct waiter *victims = arena_array(run->arena, run->snapshot->thread_count, sizeof(*victims));
	*ret_victims = victims;
	if (!told || !victims)
		return 0;
	/* Who waits for one of the cycle waits for its first one too, save across edges not followed. */
	bool followed = true;
	for (uint32_t i = 0; i < length; i++) {
		told[cycle[i].from] = true;
		followed = followed && cycle[i].type != EDGE_REACQUIRE;
	}
	for (uint32_t i = 0; i < (followed ? 1 : length); i++) {
		struct waiter *waiters;
		uint32_t found = graph_waiters(run->graph, cycle[i].from, NULL, run->arena, &waiters);
		for (uint32_t w = 0; w < found; w++) {
			run->marks[waiters[w].thread] |= MARK_DEADLOCKED;
			if (!told[waiters[w].thread])
				victims[count++] = waiters[w];
			told[waiters[w].thread] = true;
		}
	}
	return count;
}

static bool report(struct detection *run, const struct edge *cycle, uint32_t length)
{
	struct waiter *victims;
	uint32_t count = find_victims(run, cycle, length, &victims);
	uint32_t room = 2 * length + count;
	struct finding *finding = finding_begin(run->list, FINDING_deadlock, run->snapshot, room);
	if (!finding)
		return false;
	fill_cycle(run, finding, room, cycle, length);
	detection_add_waiters(run, finding, room, victims, count);
	return true;
}

void detect_deadlock(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	struct knots knots;
	/* Firm edges are some of all: where those make no ring, these don't either. */
	if (!run->timed.count)
		return;
	bool whole = knots_find(run->graph, snapshot, false, run->arena, &knots);
	for (uint32_t i = 0; whole && i < snapshot->thread_count; i++)
		if (knots.of[i])
			run->marks[i] |= MARK_DEADLOCKED;
	for (uint32_t knot = 1; whole && knot <= knots.count; knot++) {
		struct edge *cycle;
		uint32_t length = knot_first_cycle(run->graph, snapshot, &knots, knot, run->arena, &cycle);
		whole = length && report(run, cycle, length);
	}
	if (!whole)
		run->list->incomplete = true;
}
