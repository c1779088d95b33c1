#include "registry/wait.h"

#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* Chosen somewhat arbitrarily: the default size of a main thread's stack. */
#define SAME_STACK_BYTES ((uint64_t)8 << 20)

/*
 * An annotated wait begins and ends in calls of its own, and what the program waits in meanwhile
 * may be called from the same frame or one a little further out. Chosen somewhat arbitrarily.
 */
#define ANNOTATED_BYTES ((uint64_t)1024)

/*
 * How many of the recorded waits can still be going on. A wait inside another (a signal handler's)
 * lies deeper on the stack; one that lies deeper than the new one was left by longjmp.
 */
static uint32_t live_depth(const struct rec_thread *slot, uint64_t frame)
{
	uint32_t depth = slot->wait_depth;
	while (depth && depth <= REC_SLOT_WAITS) {
		const struct rec_wait *outer = &slot->waits[depth - 1];
		uint64_t top = outer->sp + (outer->kind == KIND_WAIT ? ANNOTATED_BYTES : 0);
		if (frame < top || frame - top >= SAME_STACK_BYTES)
			break;
		depth--;
	}
	return depth;
}

/* The annotated wait that a wait of this kind is the means of; NULL: none. */
static const struct rec_wait *annotated(const struct rec_thread *slot, uint32_t depth, enum kind kind)
{
	const struct rec_wait *outer = depth && depth <= REC_SLOT_WAITS ? &slot->waits[depth - 1] : NULL;
	return outer && outer->kind == KIND_WAIT && !kind_has(kind, KIND_IS_BLOCKS) ? outer : NULL;
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
		const struct rec_wait *outer = annotated(slot, depth, what->kind);
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
		wait->kept = what->kept;
		if (outer) {
			/* The futex or sleep inside is how it waits; what it waits for, the program has said. */
			wait->handle = outer->handle;
			wait->since = outer->since;
			wait->op = outer->op;
			wait->kind = outer->kind;
		}
	}
	slot->wait_depth = (uint16_t)(depth + 1);
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
