#include "stack/stack.h"

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/depot.h"
#include "stack/modules.h"
#include "stack/remote.h"
#include "stack/rules.h"
#include "stack/scratch.h"
#include "stack/unwind.h"

void stack_set_depth(unsigned frames)
{
	unwind_depth = MAX_OF(1u, MIN_OF(frames, STACK_MAX_FRAMES));
}

/* -- comparing with the reference ------------------------------------------- */

static struct stack_check checks;
static uint32_t verify_every, until_verify;

int stack_verify_init(uint32_t every)
{
	int error = unwind_reference_load();
	if (!error)
		verify_every = every;
	return error;
}

static NOINLINE bool compare(const void *frame, stack_id id)
{
	uint64_t pcs[STACK_MAX_FRAMES];
	uint32_t count;
	const struct rec_stack *ours = view_stack(recording_view(), id);
	if (!ours)
		return true;
	self.busy++; /* it calls what is hooked */
	enum unwind_end end = unwind_reference(frame, pcs, ours->count, &count);
	self.busy--;
	if (!count)
		return true; /* another thread is just comparing */
	bool cut = ours->flags & STACK_TRUNCATED;
	bool same = count >= ours->count && (cut || end == UNWIND_OUTERMOST || end == UNWIND_LOST);
	for (uint32_t i = 0; same && i < ours->count; i++)
		same = ours->frames[i] == pcs[i];
	__atomic_fetch_add(&checks.compared, 1, __ATOMIC_RELAXED);
	if (!same)
		__atomic_fetch_add(&checks.mismatched, 1, __ATOMIC_RELAXED);
	if (cut && ours->count < unwind_depth)
		__atomic_fetch_add(&checks.lost, 1, __ATOMIC_RELAXED);
	return same;
}

void stack_verify_count(struct stack_check *ret_check)
{
	ret_check->compared = __atomic_load_n(&checks.compared, __ATOMIC_RELAXED);
	ret_check->mismatched = __atomic_load_n(&checks.mismatched, __ATOMIC_RELAXED);
	ret_check->lost = __atomic_load_n(&checks.lost, __ATOMIC_RELAXED);
}

/* -- capture ----------------------------------------------------------------- */

static stack_id put(const struct walk *walk, enum unwind_end end)
{
	const struct unwind_frame *frames = &walk->frames[walk->first];
	uint32_t count = STACK_MAX_FRAMES - walk->first;
	return depot_put(frames, count, end == UNWIND_OUTERMOST ? 0 : STACK_TRUNCATED, depot_hash_all(frames, count));
}

static inline stack_id capture(const void *frame)
{
	uint32_t level;
	if (UNLIKELY(!recording))
		return 0;
	struct scratch *scratch = scratch_take((uintptr_t)frame, &level);
	if (UNLIKELY(!scratch)) {
		recording_lost(REC_STACKS);
		return 0;
	}
	struct walk *walk = &scratch->walks[level].walk;
	walk->bounds = &scratch->bounds;
	walk->limit = unwind_depth;
	enum unwind_end end = unwind_walk(walk, frame);
	if (UNLIKELY(end == UNWIND_COMPLEX))
		end = unwind_full(walk, frame);
	stack_id id = put(walk, end);
	scratch_release(level);
	return id;
}

stack_id stack_capture(const void *frame)
{
	stack_id id = capture(frame);
	if (UNLIKELY(verify_every) && id && __atomic_add_fetch(&until_verify, 1, __ATOMIC_RELAXED) % verify_every == 0)
		compare(frame, id);
	return id;
}

stack_id stack_verify(const void *frame, bool *ret_same)
{
	stack_id id = capture(frame);
	*ret_same = !id || compare(frame, id);
	return id;
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
	remote_fork_child();
	modules_fork_child();
}
