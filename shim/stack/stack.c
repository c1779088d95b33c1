#include "stack/stack.h"

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/depot.h"
#include "stack/modules.h"
#include "stack/remote.h"
#include "stack/rules.h"
#include "stack/scratch.h"
#include "stack/unwind.h"
#include "stack/verify.h"

/* -- capture ----------------------------------------------------------------- */

/* The stack that is in the walk alone. */
static NOINLINE stack_id put(const struct walk *walk, enum unwind_end end)
{
	uint32_t found = WALK_MOST - walk->first;
	uint32_t count = MIN_OF(found, unwind_depth);
	bool cut = end != UNWIND_OUTERMOST || count < found;
	const struct unwind_frame *frames = &walk->frames[WALK_MOST - count];
	return depot_put(frames, count, cut ? STACK_TRUNCATED : 0, depot_hash_all(frames, count));
}

/* Without the last stack: nested, or after it has been found too short. */
static NOINLINE enum unwind_end walk_alone(struct walk *walk, const void *frame, uint32_t limit)
{
	walk->last = NULL;
	walk->limit = limit;
	return unwind_walk(walk, frame);
}

static NOINLINE stack_id capture_complex(struct walk *walk, const void *frame)
{
	walk->limit = unwind_depth;
	return put(walk, unwind_full(walk, frame));
}

static NOINLINE stack_id capture_nested(struct walk *walk, const void *frame)
{
	enum unwind_end end = walk_alone(walk, frame, unwind_depth);
	return end == UNWIND_COMPLEX ? capture_complex(walk, frame) : put(walk, end);
}

static stack_id capture_first(struct scratch *scratch, const void *frame)
{
	struct walk *walk = &scratch->walks[0].walk;
	struct last *last = &scratch->last;
	bool too_short = false;
	walk->last = last;
	walk->limit = unwind_depth + WALK_SPARE;
	enum unwind_end end = unwind_walk(walk, frame);
	if (LIKELY(end == UNWIND_JOINED)) {
		stack_id id = last_put(last, walk, end, &too_short);
		if (LIKELY(!too_short))
			return id;
		end = walk_alone(walk, frame, unwind_depth + WALK_SPARE);
	}
	if (UNLIKELY(end == UNWIND_COMPLEX))
		return capture_complex(walk, frame);
	if (UNLIKELY(walk->plain == walk->first))
		return put(walk, end); /* on another stack: what is known of the thread's own stays */
	return last_put(last, walk, end, &too_short);
}

bool stack_modules_lockable(void)
{
	const struct rec_thread *slot = self.slot;
	if (!slot)
		return true;
	if (slot->hold_count >= REC_SLOT_HOLDS)
		return false; /* others may be elsewhere */
	for (uint32_t i = 0; i < slot->hold_count; i++)
		if ((int32_t)(slot->holds[i].serial - self.opening_serial) > 0)
			return false;
	return true;
}

/*
 * dlopen was called on this thread. Inside of it, and of what interrupts it, the loader's list is not to be looked at;
 * that dlopen has returned shows in the stack pointer, on the stack that it was called on. Where the thread holds
 * a lock that it did not hold then, the look is put off: somebody in a callback of dl_iterate_phdr, with the loader's lock, may
 * wait for it. With the others dlopen has taken that lock as well; many a thread has one for good (each of CPython's has).
 */
static NOINLINE void look_for_opened(struct scratch *scratch, uint64_t sp)
{
	if (sp < self.opening_sp || !stack_modules_lockable() || self.busy ||
	    !bounds_cover(&scratch->bounds, sp) || !bounds_cover(&scratch->bounds, self.opening_sp))
		return;
	self.opening_sp = 0;
	self.busy++;
	modules_scan();
	self.busy--;
}

static NOINLINE stack_id capture_changed(struct scratch *scratch, uint32_t level, const void *frame)
{
	if (UNLIKELY(!scratch)) {
		recording_lost(REC_STACKS);
		return 0;
	}
	struct walk *walk = &scratch->walks[level].walk;
	walk->bounds = &scratch->bounds;
	if (UNLIKELY(self.opening_sp))
		look_for_opened(scratch, (uintptr_t)frame + 16);
	stack_id id = LIKELY(!level) ? capture_first(scratch, frame) : capture_nested(walk, frame);
	scratch_release(level);
	return id;
}

static stack_id known(struct scratch *scratch, const void *frame)
{
	const uint64_t *saved = frame;
	return last_known(&scratch->last, (uintptr_t)(saved + 2), saved[1], saved[0]);
}

/* The first of a thread, or one within another. */
static NOINLINE stack_id capture_other(const void *frame)
{
	uint32_t level;
	if (UNLIKELY(!recording))
		return 0;
	struct scratch *scratch = scratch_take((uintptr_t)frame, &level);
	stack_id same = scratch && !level ? known(scratch, frame) : 0;
	if (!same)
		return capture_changed(scratch, level, frame);
	scratch_release(0);
	return same;
}

/* What most captures find is that nothing has changed: that way is kept short. */
static inline stack_id capture(const void *frame)
{
	struct scratch *scratch = scratch_take_first((uintptr_t)frame);
	if (UNLIKELY(!scratch))
		return capture_other(frame);
	stack_id same = known(scratch, frame);
	if (UNLIKELY(!same))
		return capture_changed(scratch, 0, frame);
	scratch_release(0);
	return same;
}

/* -- the interface ------------------------------------------------------------- */

static NOINLINE stack_id capture_and_compare(const void *frame)
{
	stack_id id = capture(frame);
	verify_sometimes(frame, id);
	return id;
}

stack_id stack_capture(const void *frame)
{
	return LIKELY(!verify_every) ? capture(frame) : capture_and_compare(frame);
}

stack_id stack_verify(const void *frame, bool *ret_same)
{
	stack_id id = capture(frame);
	*ret_same = !id || verify_compare(frame, id);
	return id;
}

void stack_set_depth(unsigned frames)
{
	unwind_depth = MAX_OF(1u, MIN_OF(frames, STACK_MAX_FRAMES));
	__atomic_add_fetch(&unwind_generation, 1, __ATOMIC_RELAXED);
}

void stack_modules_changed(bool unloaded)
{
	(void)unloaded; /* a scan finds either */
	modules_scan();
}

void stack_unload_begin(void)
{
	/* In this order: who sees the old generation began to walk before anything went. */
	__atomic_add_fetch(&unwind_unloading, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&unwind_generation, 1, __ATOMIC_SEQ_CST);
}

void stack_unload_end(void)
{
	__atomic_sub_fetch(&unwind_unloading, 1, __ATOMIC_SEQ_CST);
}

void stack_modules_opening(uint64_t caller_sp)
{
	self.opening_sp = caller_sp;
	self.opening_serial = self.slot ? self.slot->serial : 0;
}

void stack_modules_check(void)
{
	modules_check();
}

void stack_fork_child(void)
{
	depot_fork_child();
	rules_fork_child();
	remote_fork_child();
	modules_fork_child();
	unwind_reference_fork_child();
	unwind_unloading = 0; /* whoever was unloading is not in this process */
	__atomic_add_fetch(&unwind_generation, 1, __ATOMIC_RELAXED);
}
