#include "registry/wait.h"

#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* Chosen somewhat arbitrarily: the default size of a main thread's stack. */
#define SAME_STACK_BYTES ((uint64_t)8 << 20)

/*
 * How many of the recorded waits can still be going on. A wait inside another (a signal handler's)
 * lies deeper on the stack; one that lies deeper than the new one was left by longjmp.
 */
static uint32_t live_depth(const struct rec_thread *slot, uint64_t frame)
{
	uint32_t depth = slot->wait_depth;
	while (depth && depth <= REC_SLOT_WAITS && frame >= slot->waits[depth - 1].sp &&
	       frame - slot->waits[depth - 1].sp < SAME_STACK_BYTES)
		depth--;
	return depth;
}

void wait_begin(const struct wait_for *what)
{
	struct rec_thread *slot = thread_slot();
	if (!slot)
		return;
	self.busy++;
	thread_write_begin(slot);
	uint32_t depth = live_depth(slot, (uintptr_t)what->frame);
	if (depth < REC_SLOT_WAITS) {
		struct rec_wait *wait = &slot->waits[depth];
		wait->handle = what->handle;
		wait->handle2 = what->handle2;
		wait->since = sys_monotonic_coarse();
		wait->sp = (uintptr_t)what->frame;
		wait->stack = what->stack;
		wait->target = what->target;
		wait->serial = ++slot->serial;
		wait->op = (uint16_t)what->op;
		wait->kind = (uint8_t)what->kind;
		wait->mode = (uint8_t)what->mode;
		wait->timed = what->timed;
	}
	slot->wait_depth = depth + 1;
	thread_write_end(slot);
	self.busy--;
}

void wait_end(void)
{
	struct rec_thread *slot = self.slot;
	if (!slot || !slot->wait_depth)
		return;
	self.busy++;
	thread_write_begin(slot);
	slot->wait_depth--;
	thread_write_end(slot);
	self.busy--;
}
