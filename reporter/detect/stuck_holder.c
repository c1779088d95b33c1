/*
 * stuck-holder: a thread that has been blocked for long, in whatever call, and holds
 * a lock or an iterator, or a semaphore used as a lock that somebody waits for.
 *
 * The finding is about the cause. A thread that is itself blocked on what such a
 * thread holds is told of as one of its waiters, not in a finding of its own; so are
 * the waiters of waiters. Who waits for a lock of a thread that runs is the cause as
 * far as can be told here: then the finding says of that thread where it took the
 * lock and where it is now.
 *
 * An idle worker, parked in a condition wait, in epoll or on a semaphore, holds nothing
 * and is never reported: the mutex of a condition wait is given up meanwhile.
 */
#include "reporter/detect/detection.h"

/*
 * Whether a blocker that waits but not yet long enough is to be given the time to become the finding
 * itself. Without an end to it, a holder that waits often and briefly would keep its waiters from
 * ever being reported.
 */
static bool is_worth_waiting_for(const struct detection *run, nsec_t waited)
{
	return waited < 2 * run->limits->blocked;
}

static bool is_consequence(const struct detection *run, uint32_t thread)
{
	const struct snapshot *snapshot = run->snapshot;
	nsec_t waited = detection_age(run, snapshot->threads[thread].wait.since);
	struct edge_walk walk = graph_blockers(thread);
	struct edge edge;
	while (detection_next_cause(run, &walk, &edge)) {
		const struct snap_thread *blocker = &snapshot->threads[edge.to];
		/* A writer that readers queue behind may hold nothing: what it waits for decides. */
		if (edge.type == EDGE_QUEUE) {
			if (is_consequence(run, edge.to))
				return true;
			continue;
		}
		if (!detection_waits(blocker) ||
		    (edge.type == EDGE_JOIN && !detection_holds_something(run, edge.to)))
			continue;
		if (detection_age(run, blocker->wait.since) >= run->limits->blocked ||
		    is_worth_waiting_for(run, waited))
			return true;
	}
	return false;
}

/* A hold that need not be given back counts where somebody waits for it. */
static bool counts(const struct detection *run, uint32_t thread, const struct rec_hold *hold)
{
	return graph_holds(run->graph, thread, hold) &&
	       (kind_has(hold->kind, KIND_IS_OWNED) || graph_is_wanted(run->graph, thread, hold));
}

static uint32_t count_holds(const struct detection *run, uint32_t thread)
{
	const struct snap_thread *holder = &run->snapshot->threads[thread];
	uint32_t count = 0;
	for (uint32_t i = 0; i < holder->hold_count; i++)
		count += counts(run, thread, &holder->holds[i]);
	for (uint32_t i = run->first_iterator[thread]; i != NO_INDEX; i = run->next_iterator[i])
		count++;
	return count;
}

static void add_hold(struct detection *run, struct finding *finding, enum role role, uint32_t room,
		     const struct snap_thread *thread, const struct rec_hold *hold)
{
	detection_add_hold(run, finding, role, room, thread, hold);
	finding->witness = hash_add(finding->witness, hold->serial);
}

static void add_holds(struct detection *run, struct finding *finding, uint32_t room, uint32_t thread)
{
	const struct snap_thread *holder = &run->snapshot->threads[thread];
	for (uint32_t i = run->first_iterator[thread]; i != NO_INDEX; i = run->next_iterator[i])
		add_hold(run, finding, ROLE_opened, room, holder, &run->snapshot->resources[i]);
	for (uint32_t i = 0; i < holder->hold_count; i++)
		if (counts(run, thread, &holder->holds[i]))
			add_hold(run, finding, ROLE_acquired, room, holder, &holder->holds[i]);
}

/* Of the running thread whose lock `thread` waits for: where it took it, and where it is. */
static void add_blocker(struct detection *run, struct finding *finding, uint32_t room,
			const struct edge *edge)
{
	const struct snap_thread *blocker = &run->snapshot->threads[edge->to];
	if (edge->hold)
		detection_add_hold(run, finding, ROLE_acquired, room, blocker, edge->hold);
	detection_add_now(run, finding, room, edge->to);
}

static bool is_starved_writer(const struct snapshot *snapshot, const struct waiter *waiter)
{
	return waiter->hold && waiter->hold->mode == MODE_SHARED &&
	       snapshot->threads[waiter->thread].wait.mode == MODE_EXCLUSIVE;
}

static void report(struct detection *run, uint32_t thread)
{
	const struct snap_thread *holder = &run->snapshot->threads[thread];
	struct waiter *waiters;
	struct edge_walk walk = graph_blockers(thread);
	struct edge edge;
	bool behind = detection_next_cause(run, &walk, &edge);
	uint32_t count = graph_waiters(run->graph, thread, NULL, run->arena, &waiters);
	uint32_t room = 1 + count_holds(run, thread) + (behind ? 2 : 0) + count;
	struct finding *finding = finding_begin(run->list, FINDING_stuck_holder, run->snapshot, room);
	if (!finding)
		return;
	finding->thread = holder->id;
	finding->since = holder->wait.since;
	finding->limit = run->limits->blocked;
	finding->count = count;
	finding->key =
	    hash_add(hash_add(detection_key(FINDING_stuck_holder), holder->id), holder->wait.serial);
	finding->witness = finding->key;
	struct finding_item *item =
	    detection_add_wait(run, finding, ROLE_blocked, room, thread, behind ? &edge : NULL);
	item->flags |= ITEM_SUBJECT;
	if (!item->name && run->snapshot->view && item->handle) {
		const struct rec_object *object =
		    view_object_find(run->snapshot->view, item->handle, item->object_kind);
		item->name = object ? object->name : 0;
	}
	add_holds(run, finding, room, thread);
	if (detection_is_nested_monitor(run, thread))
		finding->flags |= FOUND_NESTED_MONITOR;
	/* The same may have been told as a deadlock, sooner: who reads both has to see that they are one. */
	if (detection_all_sleep(run))
		finding->flags |= FOUND_ASLEEP;
	if (behind)
		add_blocker(run, finding, room, &edge);
	detection_add_waiters(run, finding, room, waiters, count);
	run->marks[thread] |= MARK_STUCK;
	for (uint32_t i = 0; i < count; i++) {
		run->marks[waiters[i].thread] |= MARK_BEHIND;
		if (waiters[i].direct && is_starved_writer(run->snapshot, &waiters[i]))
			finding->flags |= FOUND_STARVED_WRITER;
	}
}

void detect_stuck_holder(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	if (!run->limits->blocked)
		return;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (!detection_waits(thread) || detection_age(run, thread->wait.since) < run->limits->blocked)
			continue;
		if (run->marks[i] & (MARK_DEADLOCKED | MARK_ORPHANED) || !count_holds(run, i))
			continue;
		if (!is_consequence(run, i))
			report(run, i);
	}
}
