/*
 * What is wrong with condition variables and shows only while threads sleep in them, so that no hook can tell:
 *
 *   cond-misuse        two threads wait for one with different mutexes
 *   destroyed-in-use   a thread destroys one that another sleeps in, and waits for it to leave: libc's way to
 *                      let those go that were woken just before, and for ever where nobody wakes it
 *
 * A thread that was woken has left the condition, and may wait for its mutex. So only those count
 * that the kernel has asleep in the condition itself; where it can't be asked, those that have waited for long, whose mutex
 * nobody has.
 */
#include "base/sort.h"
#include "reporter/detect/detection.h"

/* Much longer than it takes a thread that was woken to run, also on a busy machine. */
#define SURELY_ASLEEP NSEC_PER_SEC

static bool is_destroying(const struct snap_thread *thread)
{
	return thread->wait.op == OP_pthread_cond_destroy || thread->wait.op == OP_cnd_destroy;
}

static bool is_in_cond(const struct detection *run, const struct snap_thread *thread)
{
	return detection_waits(thread) && thread->wait.kind == KIND_COND &&
	       (thread->wait_asleep || detection_age(run, thread->wait.since) >= SURELY_ASLEEP);
}

static bool is_taken(const struct snapshot *snapshot, uint64_t mutex)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		for (uint32_t j = 0; j < snapshot->threads[i].hold_count; j++) {
			const struct rec_hold *hold = &snapshot->threads[i].holds[j];
			if (hold->kind == KIND_MUTEX && hold->handle == mutex && hold->state == HOLD_LIVE)
				return true;
		}
	return false;
}

static bool is_asleep(const struct detection *run, const struct snap_thread *thread)
{
	return !is_destroying(thread) &&
	       (thread->wait_asleep || !is_taken(run->snapshot, thread->wait.handle2));
}

static struct finding *begin(struct detection *run, enum finding_kind kind, const struct snap_thread *subject,
			     const struct snap_thread *other)
{
	struct finding *finding = finding_begin(run->list, kind, run->snapshot, 3);
	if (!finding)
		return NULL;
	finding->thread = subject->id;
	finding->since = subject->wait.since;
	finding->count = 1;
	finding->key =
	    hash_add(hash_add(hash_add(detection_key(kind), subject->wait.handle), subject->wait.stack),
		     other->wait.stack);
	finding->witness = hash_add(hash_add(finding->key, subject->wait.serial), other->wait.serial);
	return finding;
}

static void add_mutex(struct finding *finding, const struct snap_thread *thread, bool is_own)
{
	struct finding_item *item = finding_add(finding, ROLE_other, 3);
	if (!item)
		return;
	if (!is_own) {
		finding_item_thread(item, thread);
		item->stack = thread->wait.stack;
		item->since = thread->wait.since;
		item->serial = thread->wait.serial;
		item->op = thread->wait.op;
	}
	item->object_kind = KIND_MUTEX;
	item->handle = thread->wait.handle2;
}

/* `subject` came later. */
static void report_mutexes(struct detection *run, uint32_t subject, uint32_t other)
{
	const struct snap_thread *threads = run->snapshot->threads;
	struct finding *finding = begin(run, FINDING_cond_misuse, &threads[subject], &threads[other]);
	if (!finding)
		return;
	detection_add_wait(run, finding, ROLE_waits, 3, subject, NULL)->flags |= ITEM_SUBJECT;
	add_mutex(finding, &threads[subject], true);
	add_mutex(finding, &threads[other], false);
}

static void report_destroyed(struct detection *run, uint32_t subject, uint32_t sleeper)
{
	const struct snap_thread *threads = run->snapshot->threads;
	struct finding *finding = begin(run, FINDING_destroyed_in_use, &threads[subject], &threads[sleeper]);
	if (!finding)
		return;
	detection_add_wait(run, finding, ROLE_destroyed, 3, subject, NULL)->flags |= ITEM_SUBJECT;
	detection_add_wait(run, finding, ROLE_waits, 3, sleeper, NULL);
}

/* By condition, and who came first in front. */
static bool comes_before(const void *a, const void *b, void *data)
{
	const struct snapshot *snapshot = data;
	const struct rec_wait *left = &snapshot->threads[*(const uint32_t *)a].wait;
	const struct rec_wait *right = &snapshot->threads[*(const uint32_t *)b].wait;
	return left->handle != right->handle ? left->handle < right->handle : left->since < right->since;
}

/* Then who has the mutex may be another process. */
static bool is_shared(const struct detection *run, uint64_t cond)
{
	const struct view *view = run->snapshot->view;
	const struct rec_object *object = view ? view_object_find(view, cond, KIND_COND) : NULL;
	return object && (object->attributes & OBJECT_SHARED);
}

/* One condition: the first sleeper, and the first after it that waits with another mutex, or destroys it. */
static void look_at(struct detection *run, const uint32_t *waiting, uint32_t count)
{
	const struct snap_thread *threads = run->snapshot->threads;
	uint32_t first = 0;
	while (first < count && !is_asleep(run, &threads[waiting[first]]))
		first++;
	for (uint32_t i = first + 1; i < count; i++) {
		const struct snap_thread *thread = &threads[waiting[i]];
		if (is_destroying(thread)) {
			report_destroyed(run, waiting[i], waiting[first]);
			return;
		}
		if (thread->wait.handle2 != threads[waiting[first]].wait.handle2 && is_asleep(run, thread)) {
			report_mutexes(run, waiting[i], waiting[first]);
			return;
		}
	}
}

void detect_cond_use(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	uint32_t count = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		count += is_in_cond(run, &snapshot->threads[i]);
	if (count < 2)
		return;
	uint32_t *waiting = arena_array(run->arena, count, sizeof(*waiting));
	if (!waiting) {
		run->list->incomplete = true;
		return;
	}
	count = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		if (is_in_cond(run, &snapshot->threads[i]))
			waiting[count++] = i;
	sort_items(waiting, count, sizeof(*waiting), comes_before, (void *)snapshot);
	for (uint32_t first = 0, next; first < count; first = next) {
		uint64_t handle = snapshot->threads[waiting[first]].wait.handle;
		next = first + 1;
		while (next < count && snapshot->threads[waiting[next]].wait.handle == handle)
			next++;
		if (next - first > 1 && !is_shared(run, handle))
			look_at(run, &waiting[first], next - first);
	}
}
