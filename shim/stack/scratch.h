/*
 * A thread's own room for capturing stacks, mapped at its first capture: walking
 * needs kilobytes, and hooks run on stacks of 16 KiB.
 *
 * A signal handler may interrupt a capture and capture in its turn, so there is
 * room for a few walks. self.scratch_busy is how many are taken; each walk notes
 * where on the stack it was started from, so that one that was left by longjmp is noticed.
 */
#ifndef WH_STACK_SCRATCH_H
#define WH_STACK_SCRATCH_H

#include "base/context.h"
#include "registry/thread.h"
#include "stack/bounds.h"
#include "stack/last.h"
#include "stack/unwind.h"

#define SCRATCH_WALKS 3u

struct scratch {
	struct last last;     /* of walks[0] alone; first, since it wants to begin with a cache line */
	struct bounds bounds; /* of the thread's own stack */
	struct scratch_walk {
		uint64_t sp; /* of the capture that uses it */
		struct walk walk;
	} walks[SCRATCH_WALKS];
};

/*
 * Takes room for a walk up from `sp`: that of number *ret_level, which goes to scratch_release. Return: NULL
 * where there is none (no memory, or nested too deep). Context: hook.
 */
struct scratch *scratch_take(uint64_t sp, uint32_t *ret_level);

/* The same in the usual case: the room is there, and walk 0 is free. Return: NULL: it is not. Context: hook. */
static inline struct scratch *scratch_take_first(uint64_t sp)
{
	struct scratch *scratch = self.scratch;
	if (UNLIKELY(!scratch || self.scratch_busy))
		return NULL;
	self.scratch_busy = 1;
	/* A handler that comes in between must find the level taken before it is used. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	scratch->walks[0].sp = sp;
	return scratch;
}

static inline void scratch_release(uint32_t level)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self.scratch_busy = level;
}

#endif
