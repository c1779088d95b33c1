#include "platform/guard.h"

#include <signal.h>
#include <string.h>

#include "base/context.h"
#include "platform/sys.h"

/* The kernel's struct sigaction, which is not libc's. */
struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define KERNEL_RESTORER 0x04000000ul

static const int signals[] = { SIGSEGV, SIGBUS };

static struct {
	void *jump[5]; /* __builtin_setjmp's buffer */
	int32_t tid;
	struct kernel_action before[COUNT_OF(signals)];
} guard;

void guard_restorer(void);
__asm__(".text\n.hidden guard_restorer\n.globl guard_restorer\n.type guard_restorer,@function\n"
	"guard_restorer:\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	".size guard_restorer, .-guard_restorer\n");

static void restore(void)
{
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		sys_call4(SYS_rt_sigaction, signals[i], &guard.before[i], NULL, sizeof guard.before[i].mask);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	if (sys_tid() != guard.tid) {
		restore();
		return;
	}
	__builtin_longjmp(guard.jump, 1);
}

static NOINLINE bool guarded(void (*run)(void *data), void *data)
{
	if (__builtin_setjmp(guard.jump))
		return false;
	run(data);
	return true;
}

bool guard_call(void (*run)(void *data), void *data)
{
	struct kernel_action action = {
		.handler = on_fault,
		/* Not blocked while it is handled: the handler is left by a jump. */
		.flags = SA_SIGINFO | SA_NODEFER | KERNEL_RESTORER,
		.restorer = guard_restorer,
	};
	uint64_t before, faults = UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << (SIGBUS - 1);
	sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &faults, &before, sizeof before);
	guard.tid = sys_tid();
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		sys_call4(SYS_rt_sigaction, signals[i], &action, &guard.before[i], sizeof action.mask);
	bool whole = guarded(run, data);
	restore();
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
	return whole;
}
