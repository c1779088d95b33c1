/* sigaltstack: the one place where a thread's stack for signals may be kept is the kernel, which tells the thread alone. */
#include "hooks/hook.h"

#include <signal.h>

/* A thread's stack is no longer than that, where its bounds are not known. Chosen by feel. */
#define FAR_BYTES ((uint64_t)64 << 20)

/* Whether it is a piece of the thread's own stack, or lies near enough to be: a variable of a function that called us. */
static void note_split(const stack_t *stack)
{
	struct rec_thread *slot = thread_slot();
	uint64_t at = (uintptr_t)stack->ss_sp, here = (uintptr_t)__builtin_frame_address(0);

	if (slot &&
	    (slot->stack_low ? at >= slot->stack_low && at < slot->stack_high : at - here < FAR_BYTES))
		atomic_fetch_or_explicit(&slot->flags, THREAD_STACK_SPLIT, memory_order_relaxed);
}

EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	real_ready();
	int result = real.sigaltstack(stack, old);
	if (result == 0 && stack && !(stack->ss_flags & SS_DISABLE))
		note_split(stack);
	if (result == 0 && stack)
		self.signal_stack = stack->ss_flags & SS_DISABLE ? 0 : (uintptr_t)stack->ss_sp;
	return result;
}
