/* sigaltstack: the one place where a thread's stack for signals may be kept is the kernel, which tells the thread alone. */
#include "hooks/hook.h"

#include <signal.h>

EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	real_ready();
	int result = real.sigaltstack(stack, old);
	if (result == 0 && stack)
		self.signal_stack = stack->ss_flags & SS_DISABLE ? 0 : (uintptr_t)stack->ss_sp;
	return result;
}
