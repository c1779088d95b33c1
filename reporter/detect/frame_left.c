/*
 * destroyed-in-use, of locks that are local variables: a thread waits for one whose function has returned, or whose
 * thread has ended. The memory is that of other calls by now, or of nobody.
 *
 * A thread that stands still in a call of libc has left all frames below the stack pointer it had there, if it
 * is on its own stack: one whose frames go back to the thread's first. On any other (a coroutine's,
 * a signal handler's) what lies below may live on. Only for locks that whoever waits will touch again,
 * so that it is wrong even if it was woken just before.
 */
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
		if (!(thread->flags & THREAD_STACK_GIVEN) && thread->stack_low &&
		    wait->sp > thread->stack_low && wait->sp < thread->stack_high)
			return (struct span){ thread->stack_low, wait->sp };
	} else if (header->entry && last - header->entry < ENTRY_BYTES && wait->sp > MAIN_BELOW &&
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

static void report(struct detection *run, uint32_t waiter, uint32_t leaver)
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

static bool is_in(const struct span *span, uint64_t address)
{
	return address >= span->low && address < span->high;
}

void detect_frame_left(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	bool any = false;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		any = any || waits_for_lock(&snapshot->threads[i]);
	if (!any || !snapshot->view)
		return;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *left = &snapshot->threads[i];
		struct span ended = left_behind(left),
			    span = ended.high ? ended : left_by(snapshot->view, left);
		for (uint32_t j = 0; j < snapshot->thread_count && span.high; j++) {
			const struct snap_thread *waits = &snapshot->threads[j];
			if (i != j && waits_for_lock(waits) && is_in(&span, waits->wait.handle) &&
			    (!ended.high || waits->wait.since < left->ended + CLOCK_STEP))
				report(run, j, i);
		}
	}
}
