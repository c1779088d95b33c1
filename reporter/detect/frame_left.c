/*
 * destroyed-in-use, of locks that are local variables: a thread waits for one whose function has returned, or whose
 * thread has ended, or has it. The memory is that of other calls by now, or of nobody.
 *
 * A thread that stands still in a call of libc has left all frames below the stack pointer it had there, if it
 * is on its own stack: one whose frames go back to the thread's first. On any other (a coroutine's,
 * a signal handler's) what lies below may live on. Only for locks that whoever waits will touch again,
 * so that it is wrong even if it was woken just before.
 *
 * Of what is held, more is asked, since nothing shows that the lock is still in use: nobody has it by libc's own words
 * where these say so (probe_stack_locks), and no handler of a signal, which may have locks of its own, can run below
 * the call that the thread stands in: it took the lock before it called, or the kernel has it just below.
 */
#include "base/sort.h"
#include "reporter/detect/detection.h"

/* What is certain to be the first thread's stack: the kernel keeps other mappings so far away from it. */
#define MAIN_BELOW (UINT64_C(1) << 20)
#define MAIN_ABOVE (UINT64_C(8) << 20)

/* The code that a program begins with is a few lines of assembler. */
#define ENTRY_BYTES 128u

struct span {
	uint64_t low, high; /* no frame lives there; none where both are 0 */
};

static bool is_root_of_thread(const struct view *view, uint64_t pc)
{
	return pc && (pc == view->header->thread_roots[0] || pc == view->header->thread_roots[1]);
}

/* Where frames of the thread have been that are no more. */
static struct span left_by(const struct view *view, const struct snap_thread *thread)
{
	const struct rec_wait *wait = &thread->wait;
	const struct rec_stack *stack = view_stack(view, wait->stack);
	const struct rec_header *header = view->header;
	/* After an annotation the thread goes on, to deeper frames. */
	if (!detection_waits(thread) || wait->kind == KIND_WAIT || wait->kind == KIND_LOCK || !stack ||
	    stack->count < 2 || (stack->flags & STACK_TRUNCATED))
		return (struct span){ 0 };
	uint64_t last = stack->frames[stack->count - 1], before = stack->frames[stack->count - 2];
	if (is_root_of_thread(view, last) || is_root_of_thread(view, before)) {
		if (!(thread->flags & (THREAD_STACK_GIVEN | THREAD_STACK_SPLIT)) && thread->stack_low &&
		    wait->sp > thread->stack_low && wait->sp < thread->stack_high)
			return (struct span){ thread->stack_low, wait->sp };
	} else if (!(thread->flags & THREAD_STACK_SPLIT) && header->entry &&
		   last - header->entry < ENTRY_BYTES && wait->sp > MAIN_BELOW &&
		   wait->sp < header->main_stack_high && header->main_stack_high - wait->sp < MAIN_ABOVE) {
		return (struct span){ wait->sp - MAIN_BELOW, wait->sp };
	}
	return (struct span){ 0 };
}

/* By how much two moments may seem to be in the wrong order: one of the clocks goes in steps. */
#define CLOCK_STEP (20 * NSEC_PER_MSEC)

#define GONE_FOR_GOOD (THREAD_STACK_GIVEN | THREAD_MAIN | THREAD_JOINED | THREAD_DETACHED | THREAD_FOREIGN)

/*
 * The same of a thread that has ended and not been joined: all of its stack. Once it is joined, libc gives
 * that to the next.
 */
static struct span left_behind(const struct snap_thread *thread)
{
	if (thread->state != THREAD_ENDED || thread->torn || (thread->flags & GONE_FOR_GOOD) ||
	    !thread->stack_low || !thread->ended)
		return (struct span){ 0 };
	return (struct span){ thread->stack_low, thread->stack_high };
}

static bool waits_for_lock(const struct snap_thread *thread)
{
	if (!detection_waits(thread))
		return false;
	switch (thread->wait.kind) {
	case KIND_MUTEX:
	case KIND_RWLOCK:
	case KIND_SPIN:
	case KIND_SEM:
		return true;
	default:
		return false;
	}
}

/* Whose frame it was: where it is now, or where it came from, if it is no more. */
static void add_leaver(struct detection *run, struct finding *finding, uint32_t leaver)
{
	const struct snap_thread *left = &run->snapshot->threads[leaver];
	if (left->state != THREAD_ENDED) {
		detection_add_now(run, finding, 2, leaver);
		return;
	}
	struct finding_item *created = finding_add(finding, ROLE_created, 2);
	if (!created)
		return;
	finding_item_thread(created, left);
	created->stack = left->created_stack;
	created->since = left->started;
}

static void report_wait(struct detection *run, uint32_t waiter, uint32_t leaver)
{
	const struct snap_thread *waits = &run->snapshot->threads[waiter];
	const struct snap_thread *left = &run->snapshot->threads[leaver];
	struct finding *finding = finding_begin(run->list, FINDING_destroyed_in_use, run->snapshot, 2);
	if (!finding)
		return;
	finding->thread = waits->id;
	finding->since = waits->wait.since;
	finding->count = 1;
	finding->key =
	    hash_add(hash_add(detection_key(FINDING_destroyed_in_use), waits->wait.stack), left->id);
	finding->witness = hash_add(hash_add(finding->key, waits->wait.serial), left->wait.serial);
	detection_add_wait(run, finding, ROLE_waits, 2, waiter, NULL)->flags |= ITEM_SUBJECT;
	add_leaver(run, finding, leaver);
}

static bool is_in(const struct span *span, uint64_t address)
{
	return address >= span->low && address < span->high;
}

/* -- what is waited for -------------------------------------------------------- */

static void look_at_waits(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	bool any = false;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		any = any || waits_for_lock(&snapshot->threads[i]);
	if (!any)
		return;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *left = &snapshot->threads[i];
		struct span ended = left_behind(left),
			    span = ended.high ? ended : left_by(snapshot->view, left);
		for (uint32_t j = 0; j < snapshot->thread_count && span.high; j++) {
			const struct snap_thread *waits = &snapshot->threads[j];
			if (i != j && waits_for_lock(waits) && is_in(&span, waits->wait.handle) &&
			    (!ended.high || waits->wait.since < left->ended + CLOCK_STEP))
				report_wait(run, j, i);
		}
	}
}

/* -- what is held -------------------------------------------------------------- */

static void report_hold(struct detection *run, uint32_t holder, const struct rec_hold *hold, uint32_t leaver)
{
	const struct snap_thread *holds = &run->snapshot->threads[holder];
	const struct snap_thread *left = &run->snapshot->threads[leaver];
	struct finding *finding = finding_begin(run->list, FINDING_destroyed_in_use, run->snapshot, 2);
	if (!finding)
		return;
	finding->thread = holds->id;
	finding->since = hold->since;
	finding->count = 1;
	/* Whatever the thread waits in later, it is this hold. */
	finding->key =
	    hash_add(hash_add(hash_add(detection_key(FINDING_destroyed_in_use), hold->stack), holds->id),
		     hold->serial);
	finding->witness = hash_add(finding->key, left->id);
	detection_add_hold(run, finding, ROLE_acquired, 2, holds, hold)->flags |= ITEM_SUBJECT;
	add_leaver(run, finding, leaver);
}

static bool is_lock(unsigned kind)
{
	return kind == KIND_MUTEX || kind == KIND_RWLOCK || kind == KIND_SPIN;
}

/* What a fork child got from its parent may have been given back there. */
static bool is_inherited(const struct view *view, const struct rec_hold *hold)
{
	return view->header->fork_parent && hold->since < view->header->started_mono;
}

/* A handler's frame is larger than that: the kernel saves all registers in it, the vector ones among them. */
#define HANDLER_LEAST 768u

/* Whether the lock, which lies in what `left` has left, did so when it called what it stands in. */
static bool was_left(const struct snap_thread *left, const struct rec_hold *hold, bool has_ended)
{
	if (has_ended)
		return hold->owner != left->id && hold->since < left->ended;
	if (hold->owner == left->id)
		return (int32_t)(left->wait.serial - hold->serial) > 0;
	return left->kernel_sp && left->kernel_sp <= left->wait.sp &&
	       left->wait.sp - left->kernel_sp < HANDLER_LEAST;
}

struct left {
	struct span span;
	uint32_t thread;
	bool has_ended;
};

static bool comes_before(const void *a, const void *b, void *data)
{
	(void)data;
	return ((const struct left *)a)->span.low < ((const struct left *)b)->span.low;
}

/* The one whose span holds the address; they don't overlap. NULL: none. */
static const struct left *left_at(const struct left *lefts, uint32_t count, uint64_t address)
{
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (lefts[middle].span.low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && is_in(&lefts[low - 1].span, address) ? &lefts[low - 1] : NULL;
}

/* Below the stack pointers of threads that wait, and all of those that have ended. */
static uint32_t find_left(const struct snapshot *snapshot, struct left *lefts)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct span ended = left_behind(&snapshot->threads[i]);
		struct span span = ended.high ? ended : left_by(snapshot->view, &snapshot->threads[i]);
		if (span.high)
			lefts[count++] = (struct left){ .span = span, .thread = i, .has_ended = ended.high };
	}
	sort_items(lefts, count, sizeof(*lefts), comes_before, NULL);
	return count;
}

/* Somebody who waits for it is told of by that. */
static bool is_waited_for(const struct snapshot *snapshot, uint64_t handle)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		if (waits_for_lock(&snapshot->threads[i]) && snapshot->threads[i].wait.handle == handle)
			return true;
	return false;
}

static void look_at_holds(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	struct left *lefts = NULL;
	uint32_t count = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *holder = &snapshot->threads[i];
		for (uint32_t h = 0; h < holder->hold_count && holder->state == THREAD_RUNNING; h++) {
			const struct rec_hold *hold = &holder->holds[h];
			if (!is_lock(hold->kind) || !graph_holds(run->graph, i, hold) ||
			    is_inherited(snapshot->view, hold))
				continue;
			if (!lefts &&
			    !(lefts = arena_array(run->arena, snapshot->thread_count, sizeof(*lefts))))
				return;
			if (!count && !(count = find_left(snapshot, lefts)))
				return;
			const struct left *left = left_at(lefts, count, hold->handle);
			if (left && was_left(&snapshot->threads[left->thread], hold, left->has_ended) &&
			    !is_waited_for(snapshot, hold->handle))
				report_hold(run, i, hold, left->thread);
		}
	}
}

void detect_frame_left(struct detection *run)
{
	if (!run->snapshot->view)
		return;
	look_at_waits(run);
	if (run->snapshot->stack_locks_known)
		look_at_holds(run);
}
