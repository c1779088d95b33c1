/*
 * held-at-exit: a thread ended with a lock held, or the process did.
 *
 * Of a thread that ended: in a running process as soon as somebody waits for the
 * lock (a lock handed over to another thread to unlock is not wrong yet), at the
 * end in any case.
 *
 * Of the process: what the thread that ended it held, and what others had held for
 * long enough that it was no short section which the end happened to cut off. A thread that waits for something outside, a
 * client or the time, is in the midst of a section as well, however long: whoever leads a pool has its lock all the
 * while. Robust mutexes are made for this, and what a fork child got from its parent is not the child's.
 *
 * What the thread that ended the process had had since soon after its start, taken that one time, with nobody ever waiting
 * for it, is most likely meant (an interpreter's lock, for threads that were never made): a warning. What was
 * told as destroyed-in-use, with that very hold, is not told again.
 */
#include "registry/misuse.h"
#include "reporter/detect/detection.h"

/* Chosen somewhat arbitrarily: far above what a section takes that is not blocked. */
#define LEFT_LONG_NS (100 * NSEC_PER_MSEC)

static bool is_robust(const struct detection *run, const struct rec_hold *hold)
{
	const struct view *view = run->snapshot->view;
	const struct rec_object *object = view ? view_object_find(view, hold->handle, hold->kind) : NULL;
	return object && object->attributes & OBJECT_ROBUST;
}

static bool is_inherited(const struct detection *run, const struct rec_hold *hold)
{
	const struct view *view = run->snapshot->view;
	return view && view->header->fork_parent && hold->since < view->header->started_mono;
}

/* Whether a thread that the end of the process met alive is to blame for what it held then. */
static bool is_left_by_process(const struct detection *run, const struct snap_thread *thread,
			       const struct rec_hold *hold)
{
	thread_id exiting = run->limits->exiting;
	bool ends_it = exiting ? thread->id == exiting : thread->flags & THREAD_MAIN;
	return run->at_end && detection_ended_orderly(run) && !is_inherited(run, hold) &&
	       !kind_has(hold->kind, KIND_IS_ROUTINE) &&
	       (ends_it || (detection_age(run, hold->since) >= LEFT_LONG_NS &&
			    !(thread->waiting && kind_is_outside(thread->wait.kind))));
}

/* Chosen somewhat arbitrarily: a program that does one thing and ends has no life for this to fill. */
#define LIFE_LEAST (10 * NSEC_PER_SEC)
#define LIFE_PARTS 10u /* it is held for all of them but one */

/* How often the lock was taken and waited for in all; false: that can't be told. */
static bool count_uses(const struct detection *run, const struct rec_hold *hold, uint64_t *ret_taken,
		       uint64_t *ret_waits)
{
	const struct view *view = run->snapshot->view;
	uint32_t uses = view_uses(view);
	uint64_t *taken = arena_array(run->arena, (size_t)uses + 1, sizeof *taken);
	*ret_taken = *ret_waits = 0;
	if (!taken)
		return false;
	view_uses_in_cells(view, taken, uses);
	for (uint32_t i = 1; i <= uses; i++) {
		const struct rec_use *use = view_use(view, i);
		if (!use || use->kind != hold->kind)
			continue;
		/* Of several locks that one place takes: this may be one of them, which matters where anybody waited. */
		if (!use->handle || use->handle == hold->handle)
			*ret_waits += atomic_load_explicit(&use->waits, memory_order_relaxed);
		if (use->handle == hold->handle)
			*ret_taken += taken[i] + atomic_load_explicit(&use->taken, memory_order_relaxed);
	}
	return true;
}

static bool is_for_life(const struct detection *run, uint32_t index, const struct rec_hold *hold)
{
	const struct snap_thread *thread = &run->snapshot->threads[index];
	const struct view *view = run->snapshot->view;
	uint64_t taken, waits;
	if (!run->at_end || !view || thread->state == THREAD_ENDED ||
	    (run->limits->exiting ? thread->id != run->limits->exiting : !(thread->flags & THREAD_MAIN)))
		return false;
	nsec_t age = detection_age(run, hold->since);
	/* The clock of holds is a coarse one, and may say that it was before there was a process. */
	nsec_t life = MAX_OF(detection_age(run, view->header->started_mono), age);
	return age >= LIFE_LEAST && life - age <= life / LIFE_PARTS &&
	       !graph_is_wanted(run->graph, index, hold) && count_uses(run, hold, &taken, &waits) &&
	       taken == 1 && waits == 0;
}

static bool is_that_hold(const struct snap_thread *thread, const struct rec_hold *hold, thread_id holder,
			 uint64_t handle, uint32_t serial)
{
	return holder == thread->id && handle == hold->handle && serial == hold->serial;
}

/* As a lock that was destroyed with this hold in it, by a look at the running process or by the hook. */
static bool was_told(const struct detection *run, const struct snap_thread *thread,
		     const struct rec_hold *hold)
{
	const struct view *view = run->snapshot->view;
	for (const struct finding *told = NULL; view && (told = finding_next(view, told));)
		for (uint32_t i = 0; told->kind == FINDING_destroyed_in_use && i < told->item_count; i++) {
			const struct finding_item *item = &told->items[i];
			if (item->role == ROLE_acquired &&
			    is_that_hold(thread, hold, item->thread, item->handle, item->serial))
				return true;
		}
	const struct rec_misuse *misuse;
	for (uint32_t i = 0; view && (misuse = view_misuse(view, i)); i++) {
		const struct rec_misuse_part *held = &misuse->parts[1];
		if (misuse->kind == MISUSE_destroyed_in_use &&
		    atomic_load_explicit(&misuse->count, memory_order_acquire) &&
		    is_that_hold(thread, hold, held->thread, misuse->handle, held->serial))
			return true;
	}
	return false;
}

static bool is_left(const struct detection *run, uint32_t index, const struct rec_hold *hold)
{
	const struct snap_thread *thread = &run->snapshot->threads[index];
	if (!kind_has(hold->kind, KIND_IS_OWNED | KIND_IS_THREAD) || !graph_holds(run->graph, index, hold))
		return false;
	if (thread->state != THREAD_ENDED)
		return is_left_by_process(run, thread, hold) && !is_robust(run, hold);
	return (run->at_end || graph_is_wanted(run->graph, index, hold)) && !is_robust(run, hold);
}

static void report(struct detection *run, uint32_t index, const struct rec_hold *hold)
{
	const struct snap_thread *thread = &run->snapshot->threads[index];
	struct waiter *waiters;
	uint32_t count = graph_waiters(run->graph, index, hold, run->arena, &waiters);
	uint32_t room = 2 + count;
	struct finding *finding = finding_begin(run->list, FINDING_held_at_exit, run->snapshot, room);
	if (!finding)
		return;
	finding->thread = thread->id;
	finding->since = hold->since;
	finding->count = count;
	finding->flags = run->at_end ? FOUND_AT_EXIT : 0;
	if (is_for_life(run, index, hold)) {
		finding->flags |= FOUND_FOR_LIFE;
		finding->severity = SEVERITY_WARNING;
	}
	finding->key = hash_add(hash_add(detection_key(FINDING_held_at_exit), thread->id), hold->serial);
	finding->witness = finding->key;
	detection_add_hold(run, finding, ROLE_acquired, room, thread, hold)->flags |= ITEM_SUBJECT;
	if (thread->created_stack) {
		struct finding_item *created = finding_add(finding, ROLE_created, room);
		finding_item_thread(created, thread);
		created->stack = thread->created_stack;
		created->since = thread->started;
	}
	detection_add_waiters(run, finding, room, waiters, count);
	for (uint32_t i = 0; i < count; i++)
		run->marks[waiters[i].thread] |= MARK_ORPHANED;
}

void detect_held_at_exit(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (thread->torn || (thread->state != THREAD_ENDED && !run->at_end))
			continue;
		for (uint32_t h = 0; h < thread->hold_count; h++)
			if (is_left(run, i, &thread->holds[h]) && !was_told(run, thread, &thread->holds[h]))
				report(run, i, &thread->holds[h]);
	}
}
