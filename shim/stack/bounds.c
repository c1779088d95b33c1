#include "stack/bounds.h"

#include "platform/thread_self.h"
#include "registry/thread.h"
#include "stack/memory.h"

/* The loader's: where the first thread's stack was when the program started. */
extern void *__libc_stack_end __attribute__((weak));

#define FARTHEST (UINT64_C(64) << 20) /* from one capture to the next, or to the end of the stack */

/* Whether all pages from that of `low` to below that of `high` can be read; if not, *ret_gap is the first that can't. */
static bool is_whole(uint64_t low, uint64_t high, uint64_t *ret_gap)
{
	uint64_t page = low & ~(MEMORY_PAGE - 1);
	while (page < high && memory_readable(page))
		page += MEMORY_PAGE;
	*ret_gap = page;
	return page >= high;
}

static void remember_other(struct bounds *bounds, uint64_t low, uint64_t high)
{
	uint32_t at = bounds->next_other++ % BOUNDS_OTHERS;
	bounds->others[at].low = low;
	bounds->others[at].high = high;
}

static bool is_other(const struct bounds *bounds, uint64_t sp)
{
	for (unsigned i = 0; i < BOUNDS_OTHERS; i++)
		if (sp >= bounds->others[i].low && sp < bounds->others[i].high)
			return true;
	return false;
}

/* Takes `sp` in if nothing but stack is between it and `known`, where the stack is or ends. */
static bool reach_down(struct bounds *bounds, uint64_t sp, uint64_t known, uint64_t high)
{
	uint64_t gap;
	if (sp >= known || known - sp > FARTHEST)
		return false;
	if (!is_whole(sp, known, &gap)) {
		remember_other(bounds, sp & ~(MEMORY_PAGE - 1), gap);
		return false;
	}
	bounds->low = sp & ~(MEMORY_PAGE - 1);
	bounds->high = high;
	return true;
}

NOINLINE bool bounds_look(struct bounds *bounds, uint64_t sp)
{
	const struct rec_thread *slot = self.slot;
	if (is_other(bounds, sp))
		return false;
	if (bounds->high)
		return reach_down(bounds, sp, bounds->low, bounds->high);
	if (slot && sp >= slot->stack_low && sp < slot->stack_high) {
		bounds->low = slot->stack_low;
		bounds->high = slot->stack_high;
		return true;
	}
	uint64_t thread = thread_self_pointer();
	uint64_t first = &__libc_stack_end ? (uintptr_t)__libc_stack_end & ~UINT64_C(7) : 0;
	return reach_down(bounds, sp, thread, thread) || reach_down(bounds, sp, first, first);
}
