/*
 * deadlock, of another form: no ring of threads that wait for one another, but every thread
 * of the process waits for another one to wake it, and none is left that could: a signal that was lost,
 * a barrier with too few threads, a pool that was never refilled, a producer that is gone.
 *
 * That it is so the kernel says, and that none has run from one look to the next
 * (snapshot.h, asleep_since). Whom each thread counted on nobody can know; so all of them are told
 * of, those that wait in one place by one of them.
 */
#include "reporter/detect/detection.h"

/*
 * With a lock held it may be time for a stuck-holder soon, which says more. Else a moment is enough: there
 * is nothing that could come.
 */
#define ASLEEP_WITH_LOCKS NSEC_PER_SEC
#define ASLEEP_WITHOUT (400 * NSEC_PER_MSEC)

static bool is_asleep(const struct snap_thread *thread)
{
	return detection_waits(thread);
}

static nsec_t time_needed(const struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	/* Whoever made the process may mean to end it so. */
	if (snapshot->view && snapshot->view->header->fork_parent)
		return run->limits->blocked;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		if (is_asleep(&snapshot->threads[i]) && detection_holds_something(run, i))
			return ASLEEP_WITH_LOCKS;
	return ASLEEP_WITHOUT;
}

bool detection_all_sleep(const struct detection *run)
{
	nsec_t since = run->snapshot->asleep_since, needed = since ? time_needed(run) : 0;
	return needed && detection_age(run, since) >= needed;
}

/* A thread that one before it tells of as well: the same wait in the same place, and nothing held. */
static bool is_told(const struct detection *run, uint32_t thread)
{
	const struct snapshot *snapshot = run->snapshot;
	const struct rec_wait *wait = &snapshot->threads[thread].wait;
	if (detection_holds_something(run, thread))
		return false;
	for (uint32_t i = 0; i < thread; i++) {
		const struct rec_wait *other = &snapshot->threads[i].wait;
		if (is_asleep(&snapshot->threads[i]) && other->stack == wait->stack &&
		    other->handle == wait->handle && other->kind == wait->kind)
			return true;
	}
	return false;
}

static void add_thread(struct detection *run, struct finding *finding, uint32_t room, uint32_t index)
{
	const struct snap_thread *thread = &run->snapshot->threads[index];
	struct finding_item *item = detection_add_wait(run, finding, ROLE_waits, room, index, NULL);
	if (item && !is_told(run, index))
		item->flags |= ITEM_SUBJECT;
	for (uint32_t i = 0; i < thread->hold_count; i++) {
		const struct rec_hold *hold = &thread->holds[i];
		if (graph_holds(run->graph, index, hold) &&
		    (kind_has(hold->kind, KIND_IS_OWNED) || graph_is_wanted(run->graph, index, hold)))
			detection_add_hold(run, finding, ROLE_acquired, room, thread, hold);
	}
	if (detection_is_nested_monitor(run, index))
		finding->flags |= FOUND_NESTED_MONITOR;
	finding->key = hash_add(hash_add(finding->key, thread->id), thread->wait.serial);
}

void detect_asleep(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	uint32_t room = 0, count = 0;
	if (!detection_all_sleep(run))
		return;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		/* Accounted for: there is a ring, or a thread that ended with a lock, and the rest follows from it. */
		if (run->marks[i] & (MARK_DEADLOCKED | MARK_ORPHANED | MARK_STUCK))
			return;
		if (!is_asleep(&snapshot->threads[i]))
			continue;
		count++;
		room += 1 + snapshot->threads[i].hold_count;
	}
	struct finding *finding = count ? finding_begin(run->list, FINDING_deadlock, snapshot, room) : NULL;
	if (!finding)
		return;
	finding->key = detection_key(FINDING_deadlock);
	finding->flags = FOUND_ASLEEP;
	finding->since = snapshot->asleep_since;
	finding->count = count;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		if (!is_asleep(&snapshot->threads[i]))
			continue;
		if (!finding->thread)
			finding->thread = snapshot->threads[i].id;
		add_thread(run, finding, room, i);
	}
	finding->witness = hash_add(finding->key, snapshot->asleep_witness);
}
