/*
 * A wait is what a thread is blocked on. It is recorded before the real call, so
 * that the edge of the wait graph is there when the thread hangs, and taken back
 * after it, whatever way the call ends (return, cancellation, exception: hooks do
 * it in a scope cleanup, hooks/hook.h).
 *
 * Waits nest (a signal handler that waits inside a wait): REC_SLOT_WAITS deep.
 *
 * All functions: Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_WAIT_H
#define WH_REGISTRY_WAIT_H

#include "base/context.h"
#include "registry/kind.h"

struct wait_for {
	enum kind kind;
	enum mode mode;
	enum op op;
	bool timed; /* gives up by itself */
	bool kept;  /* the hook has kept the registers: see hook_keep */
	uint64_t handle;
	uint64_t handle2; /* of a condition wait: the mutex */
	thread_id target; /* of a join */
	stack_id stack;
	const void *frame; /* of the interposed function: what lies above is live stack */
};

void wait_begin(const struct wait_for *what);
void wait_end(void);

#endif
