#include "hooks/once.h"

__thread struct once_call *once_innermost TLS_IE;

/* libc's value of a control whose routine has run; the same in glibc and musl. */
#define ONCE_DONE 2

static void once_hold_end(const uint64_t *control)
{
	hold_end(KIND_ONCE, *control, NULL);
}

void once_run(void)
{
	const struct once_call *call = once_innermost;
	uint64_t control CLEANUP(once_hold_end) = call->control;

	hook_wait_over(call->hook);
	hold_begin(KIND_ONCE, control, MODE_EXCLUSIVE, call->op, hook_stack(call->hook));
	call->routine();
}

EXPORT int pthread_once(pthread_once_t *control, void (*routine)(void))
{
	/* A peek: where it is wrong, nothing is lost but the bookkeeping. */
	if (LIKELY(__atomic_load_n(control, __ATOMIC_RELAXED) == ONCE_DONE)) {
		real_ready();
		return real.pthread_once(control, routine);
	}
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_once(control, routine);
	HOOK_KEEP(&hook);
	ONCE_CALL(call, &hook, control, OP_pthread_once, routine);
	hook_wait(&hook, KIND_ONCE, (uintptr_t)control, MODE_EXCLUSIVE, OP_pthread_once);
	return real.pthread_once(control, once_run);
}

EXPORT void call_once(once_flag *flag, void (*routine)(void))
{
	if (LIKELY(__atomic_load_n(&flag->__data, __ATOMIC_RELAXED) == ONCE_DONE)) {
		real_ready();
		real.call_once(flag, routine);
		return;
	}
	HOOK(hook, LOCK);
	if (!hook.track) {
		real.call_once(flag, routine);
		return;
	}
	HOOK_KEEP(&hook);
	ONCE_CALL(call, &hook, flag, OP_call_once, routine);
	hook_wait(&hook, KIND_ONCE, (uintptr_t)flag, MODE_EXCLUSIVE, OP_call_once);
	real.call_once(flag, once_run);
}
