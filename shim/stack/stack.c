#include "stack/stack.h"

#include <string.h>

#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/depot.h"
#include "stack/modules.h"
#include "stack/rules.h"
#include "stack/scratch.h"
#include "stack/unwind.h"

static uint32_t depth = 64;

void stack_set_depth(unsigned frames)
{
	depth = MAX_OF(1u, MIN_OF(frames, STACK_MAX_FRAMES));
}

/* -- scratch ----------------------------------------------------------------- */

static NOINLINE struct scratch *make_scratch(void)
{
	struct scratch *scratch = sys_pages_lazy(sizeof *scratch);
	if (!scratch)
		return NULL;
	/* A signal handler may have been here meanwhile. */
	if (self.scratch) {
		sys_pages_free(scratch, sizeof *scratch);
		return self.scratch;
	}
	self.scratch = scratch;
	return scratch;
}

/* The bounds of the thread's own stack, as soon as its slot says them. */
static void learn_bounds(struct scratch *scratch)
{
	const struct rec_thread *slot = self.slot;
	if (slot && slot->stack_high > slot->stack_low) {
		scratch->stack_low = slot->stack_low;
		scratch->stack_high = slot->stack_high;
	}
}

/*
 * The walks that are still going on. On one stack, a capture that was started at or below where we
 * are now has been left: by longjmp out of a signal handler that had interrupted it.
 */
static uint32_t walks_going_on(const struct scratch *scratch, uint64_t sp)
{
	uint32_t level = self.scratch_busy;
	while (level && sp - scratch->stack_low < scratch->stack_high - scratch->stack_low &&
	       scratch->walks[level - 1].sp - scratch->stack_low < scratch->stack_high - scratch->stack_low &&
	       scratch->walks[level - 1].sp <= sp)
		level--;
	return level;
}

struct walk *scratch_take(uint64_t sp, uint32_t *ret_level)
{
	struct scratch *scratch = self.scratch;
	if (UNLIKELY(!scratch)) {
		scratch = make_scratch();
		if (!scratch)
			return NULL;
	}
	if (UNLIKELY(!scratch->stack_high))
		learn_bounds(scratch);
	uint32_t level = self.scratch_busy;
	if (UNLIKELY(level)) {
		level = walks_going_on(scratch, sp);
		if (level == SCRATCH_WALKS)
			return NULL;
	}
	self.scratch_busy = level + 1;
	/* A handler that comes in between must find the level taken before it is used. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	struct scratch_walk *taken = &scratch->walks[level];
	taken->sp = sp;
	taken->walk.stack_low = scratch->stack_low;
	taken->walk.stack_high = scratch->stack_high;
	*ret_level = level;
	return &taken->walk;
}

void scratch_release(uint32_t level)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self.scratch_busy = level;
}

void stack_thread_end(void)
{
	struct scratch *scratch = self.scratch;
	if (!scratch || self.scratch_busy)
		return;
	self.scratch = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	sys_pages_free(scratch, sizeof *scratch);
}

/* -- capture ----------------------------------------------------------------- */

static stack_id put(const struct walk *walk, enum unwind_end end)
{
	const struct unwind_frame *frames = &walk->frames[walk->first];
	uint32_t count = STACK_MAX_FRAMES - walk->first;
	uint64_t hash = DEPOT_HASH_START;
	for (uint32_t i = 0; i < count; i++)
		hash = depot_hash(hash, frames[i].pc);
	return depot_put(frames, count, end == UNWIND_OUTERMOST ? 0 : STACK_TRUNCATED, hash);
}

stack_id stack_capture(const void *frame)
{
	uint32_t level;
	if (UNLIKELY(!recording))
		return 0;
	struct walk *walk = scratch_take((uintptr_t)frame, &level);
	if (UNLIKELY(!walk)) {
		recording_lost(REC_STACKS);
		return 0;
	}
	walk->limit = depth;
	enum unwind_end end = unwind_walk(walk, frame);
	if (UNLIKELY(end == UNWIND_COMPLEX))
		end = unwind_full(walk, frame);
	stack_id id = put(walk, end);
	scratch_release(level);
	return id;
}

/* -- comparing with the reference ------------------------------------------- */

static struct stack_check checks;

static NOINLINE void compare(const void *frame, stack_id id, bool *ret_same)
{
	uint64_t pcs[STACK_MAX_FRAMES];
	uint32_t count;
	const struct rec_stack *ours = view_stack(recording_view(), id);
	if (!ours)
		return;
	unwind_reference(frame, pcs, ours->count, &count);
	if (!count)
		return; /* another thread is just comparing */
	__atomic_fetch_add(&checks.compared, 1, __ATOMIC_RELAXED);
	bool same = count >= ours->count;
	for (uint32_t i = 0; same && i < ours->count; i++)
		same = ours->frames[i] == pcs[i];
	if (!same)
		__atomic_fetch_add(&checks.mismatched, 1, __ATOMIC_RELAXED);
	if ((ours->flags & STACK_TRUNCATED) && ours->count < depth)
		__atomic_fetch_add(&checks.shorter, 1, __ATOMIC_RELAXED);
	if (ret_same)
		*ret_same = same;
}

stack_id stack_verify(const void *frame, bool *ret_same)
{
	stack_id id = stack_capture(frame);
	if (ret_same)
		*ret_same = true;
	if (id)
		compare(frame, id, ret_same);
	return id;
}

void stack_verify_count(struct stack_check *ret_check)
{
	ret_check->compared = __atomic_load_n(&checks.compared, __ATOMIC_RELAXED);
	ret_check->mismatched = __atomic_load_n(&checks.mismatched, __ATOMIC_RELAXED);
	ret_check->shorter = __atomic_load_n(&checks.shorter, __ATOMIC_RELAXED);
}

/* -- changes ------------------------------------------------------------------ */

void stack_modules_changed(bool unloaded)
{
	(void)unloaded; /* a scan finds either */
	modules_scan();
}

void stack_modules_check(void)
{
	modules_check();
}

void stack_fork_child(void)
{
	depot_fork_child();
	rules_fork_child();
	modules_fork_child();
}
