#include "stack/scratch.h"

#include "platform/sys.h"
#include "stack/stack.h"

static NOINLINE struct scratch *make_scratch(void)
{
	struct scratch *scratch = sys_pages_lazy(sizeof *scratch);
	/* A signal handler may have been here meanwhile. */
	if (scratch && self.scratch) {
		sys_pages_free(scratch, sizeof *scratch);
		return self.scratch;
	}
	self.scratch = scratch;
	return scratch;
}

/*
 * The walks that are still going on. On one stack, a capture that was started at or below where we
 * are now has been left: by longjmp out of a signal handler that had interrupted it.
 */
static NOINLINE uint32_t walks_going_on(struct scratch *scratch, uint64_t sp)
{
	uint32_t level = self.scratch_busy;
	while (level && scratch->walks[level - 1].sp <= sp && bounds_cover(&scratch->bounds, sp) &&
	       bounds_cover(&scratch->bounds, scratch->walks[level - 1].sp))
		level--;
	return level;
}

NOINLINE struct scratch *scratch_take(uint64_t sp, uint32_t *ret_level)
{
	struct scratch *scratch = self.scratch;
	if (UNLIKELY(!scratch)) {
		scratch = make_scratch();
		if (!scratch)
			return NULL;
	}
	uint32_t level = self.scratch_busy;
	if (UNLIKELY(level)) {
		level = walks_going_on(scratch, sp);
		if (level == SCRATCH_WALKS)
			return NULL;
	}
	self.scratch_busy = level + 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	scratch->walks[level].sp = sp;
	*ret_level = level;
	return scratch;
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
