/*
 * Once: the thread that runs the routine holds the control, the others wait for
 * it. Which of the two a caller is, libc alone knows; so it is given a routine of
 * ours, and that it is called says it.
 *
 *   ONCE_CALL(call, &hook, control, OP_pthread_once, routine);
 *   real.pthread_once(control, once_run);
 *
 * Routines nest (one that calls pthread_once on another control), so the calls of
 * a thread are a chain. It is left in any way: by return, exception, cancellation.
 *
 * Context: hook.
 */
#ifndef WH_HOOKS_ONCE_H
#define WH_HOOKS_ONCE_H

#include "hooks/hook.h"

struct once_call {
	struct hook *hook;
	void (*routine)(void);
	uint64_t control;
	enum op op;
	struct once_call *outer; /* of the same thread */
};

/* The calling thread's innermost call. */
extern HIDDEN __thread struct once_call *once_innermost TLS_IE;

static inline void once_call_end(struct once_call *call)
{
	once_innermost = call->outer;
}

#define ONCE_CALL(name, hook_, control_, op_, routine_) \
	struct once_call name CLEANUP(once_call_end) = { .hook = (hook_), \
							 .routine = (routine_), \
							 .control = (uintptr_t)(control_), \
							 .op = (op_), \
							 .outer = once_innermost }; \
	once_innermost = &name

/* The routine that libc is given: runs the innermost call's own, as a hold. */
void once_run(void);

#endif
