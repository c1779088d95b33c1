/*
 * iterator-open: iterators left open past `iterating`. Those opened from the same
 * stack are one finding: how many, the oldest of them, and where its thread is now.
 * What a stuck-holder or a deadlock accounts for is left out.
 *
 * The same for the entries of a pool that has run dry: things acquired from what a thread waits for, both for longer
 * than `held`. Whoever waits is told with them.
 */
#include "base/sort.h"
#include "reporter/detect/detection.h"

#define ACCOUNTED_FOR (MARK_DEADLOCKED | MARK_ORPHANED | MARK_STUCK | MARK_BEHIND)

static const struct snap_thread *owner_of(const struct detection *run, const struct rec_hold *hold)
{
	return snapshot_thread(run->snapshot, hold->owner);
}

/* Told of one finding at the most; a pool's waiters are all alike. */
#define WAITERS_MOST 8u

/* Whether the thread waits for an entry of the pool, as far as the program says (wh_wait_begin), and has for long. */
static bool waits_for_pool(const struct detection *run, const struct snap_thread *thread, uint64_t pool)
{
	return pool && detection_waits(thread) && thread->wait.kind == KIND_WAIT &&
	       thread->wait.handle == pool && detection_age(run, thread->wait.since) >= run->limits->held;
}

static bool is_wanted(const struct detection *run, const struct rec_hold *hold)
{
	if (kind_has(hold->kind, KIND_IS_SIZED) || !hold->container || !run->limits->held ||
	    detection_age(run, hold->since) < run->limits->held)
		return false;
	for (uint32_t i = 0; i < run->snapshot->thread_count; i++)
		if (waits_for_pool(run, &run->snapshot->threads[i], hold->container))
			return true;
	return false;
}

static bool is_left_open(const struct detection *run, const struct rec_hold *hold)
{
	const struct snap_thread *owner = owner_of(run, hold);
	bool long_open = run->limits->iterating && kind_has(hold->kind, KIND_IS_ITERATES) &&
			 detection_age(run, hold->since) >= run->limits->iterating;
	if (!long_open && !is_wanted(run, hold))
		return false;
	return !owner || (!owner->torn && !(run->marks[owner - run->snapshot->threads] & ACCOUNTED_FOR));
}

static bool is_same_place(const struct rec_hold *left, const struct rec_hold *right)
{
	return left->stack == right->stack && left->kind == right->kind;
}

/* By place, the oldest first. */
static bool opened_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct rec_hold *left = *(const struct rec_hold *const *)a;
	const struct rec_hold *right = *(const struct rec_hold *const *)b;
	if (left->stack != right->stack)
		return left->stack < right->stack;
	if (left->kind != right->kind)
		return left->kind < right->kind;
	if (left->since != right->since)
		return left->since < right->since;
	return left->handle < right->handle;
}

#define ITEMS (2u + WAITERS_MOST)

/* `open`: those of one place, the oldest first. */
static void report(struct detection *run, const struct rec_hold *const *open, uint32_t count)
{
	const struct rec_hold *oldest = open[0];
	const struct snap_thread *owner = owner_of(run, oldest);
	struct finding *finding = finding_begin(run->list, FINDING_iterator_open, run->snapshot, ITEMS);
	if (!finding)
		return;
	finding->thread = oldest->owner;
	finding->since = oldest->since;
	bool wanted = is_wanted(run, oldest);
	finding->limit = wanted ? run->limits->held : run->limits->iterating;
	finding->count = count;
	/* A stack is one place; without one, the iterator is. */
	uint64_t itself = hash_add(hash_add(oldest->owner, oldest->serial), oldest->handle);
	finding->key = hash_add(hash_add(detection_key(FINDING_iterator_open), oldest->stack), oldest->kind);
	if (!oldest->stack)
		finding->key = hash_add(finding->key, itself);
	finding->witness = hash_add(finding->key, itself);
	struct finding_item *item = detection_add_hold(run, finding, ROLE_opened, ITEMS, owner, oldest);
	item->flags |= ITEM_SUBJECT;
	item->count = count;
	for (uint32_t i = 1; i < count; i++)
		if (open[i]->name != oldest->name)
			item->flags |= ITEM_OF_SEVERAL_NAMES;
	if (owner && owner->state == THREAD_RUNNING)
		detection_add_now(run, finding, ITEMS, (uint32_t)(owner - run->snapshot->threads));
	for (uint32_t i = 0; wanted && i < run->snapshot->thread_count; i++)
		if (waits_for_pool(run, &run->snapshot->threads[i], oldest->container))
			detection_add_wait(run, finding, ROLE_waits, ITEMS, i, NULL);
}

void detect_iterator_open(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	if ((!run->limits->iterating && !run->limits->held) || !snapshot->resource_count)
		return;
	const struct rec_hold **open = arena_array(run->arena, snapshot->resource_count, sizeof(*open));
	uint32_t count = 0;
	if (!open) {
		run->list->incomplete = true;
		return;
	}
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		if (is_left_open(run, &snapshot->resources[i]))
			open[count++] = &snapshot->resources[i];
	sort_items(open, count, sizeof(*open), opened_before, NULL);
	for (uint32_t first = 0, next; first < count; first = next) {
		next = first + 1;
		/* Where no stack was captured, nothing says that two have the same place. */
		while (next < count && open[first]->stack && is_same_place(open[first], open[next]))
			next++;
		report(run, &open[first], next - first);
	}
}
