/*
 * libc's syscall(). Hand-made locks wait in it (Rust's standard library,
 * std::atomic::wait, the runtimes of languages), and so do programs that go round
 * libc to change what they are. Any other number goes to the real function by a
 * jump: clone and vfork return twice, and no frame of ours may lie in between.
 */
#include "hooks/hook.h"

#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "hooks/mapping.h"
#include "hooks/memory_lock.h"
#include "hooks/shared_memory.h"
#include "hooks/tail.h"
#include "start.h"

static long syscall_futex(long number, long word, long op, long value, long timeout, long word2, long value3)
{
	HOOK(hook, BLOCKING);
	struct hook_kept kept CLEANUP(hook_kept_end);
	if (hook.track) {
		hook_keep(&hook, &kept);
		struct wait_for what = {
			.kind = KIND_FUTEX, .op = OP_futex, .timed = timeout != 0, .handle = (uint64_t)word
		};
		hook_wait_for(&hook, &what);
	}
	return real.syscall(number, word, op, value, timeout, word2, value3);
}

/* With a second thread in the process these would fail, or leave the reporter thread what it was. */
static long syscall_alone(long number, long a, long b, long c, long d, long e, long f)
{
	bool paused = reporter_pause();
	long result = real.syscall(number, a, b, c, d, e, f);
	int error = errno;
	reporter_resume(paused);
	errno = error;
	return result;
}

static long syscall_setns(long number, long fd, long type)
{
	long result = real.syscall(number, fd, type);
	if (result == 0 || (errno != EINVAL && errno != EUSERS) || !reporter_in_the_way())
		return result;
	return syscall_alone(number, fd, type, 0, 0, 0, 0);
}

static long syscall_exit_group(long number, long status)
{
	start_process_ends((int)status, START_END_EXIT);
	return real.syscall(number, status);
}

static bool futex_waits(long op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
#ifdef FUTEX_LOCK_PI2
	case FUTEX_LOCK_PI2:
#endif
		return true;
	default:
		return false;
	}
}

/* Inside the runtime's wait for a static initialiser: that has been recorded, and says more. */
static bool waits_for_guard(void)
{
	const struct rec_thread *slot = self.slot;
	return slot && slot->wait_depth && slot->wait_depth <= COUNT_OF(slot->waits) &&
	       slot->waits[slot->wait_depth - 1].kind == KIND_GUARD;
}

/* Before the call. */
static void prctl_seen(long option, unsigned long value)
{
	if (option == PR_SET_SECCOMP)
		start_sandboxed();
	else if (option == PR_SET_PTRACER)
		process_tracer_note(value);
	else if (option == PR_SET_TSC && value == PR_TSC_SIGSEGV)
		sys_no_tsc = true;
}

/* Where the call goes on; called by the stub below. */
void *syscall_route(long number, long a, long b);
void *syscall_route(long number, long a, long b)
{
	real_ready();
	switch (number) {
	case SYS_futex:
		return futex_waits(b) && !waits_for_guard() ? (void *)syscall_futex : (void *)real.syscall;
	case SYS_munmap:
		return (void *)mapping_syscall_unmap;
#ifdef SYS_shmat
	case SYS_shmat:
		return (void *)shared_memory_syscall_attach;
	case SYS_shmdt:
		return (void *)shared_memory_syscall_detach;
#endif
	case SYS_mlockall:
		return (void *)memory_lock_syscall;
	case SYS_unshare:
		return a & ~UNSHARED_BY_THREAD ? (void *)syscall_alone : (void *)real.syscall;
	case SYS_setns:
		return (void *)syscall_setns;
	case SYS_exit_group:
		return (void *)syscall_exit_group;
	case SYS_seccomp:
		if (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER)
			start_sandboxed();
		return (void *)real.syscall;
	case SYS_prctl:
		prctl_seen(a, (unsigned long)b);
		return (void *)real.syscall;
	default:
		return (void *)real.syscall;
	}
}
TAIL_HOOK(syscall, syscall_route);

/* Passed on as libc's own does: four words, whatever the option needs of them. */
EXPORT int prctl(int option, ...)
{
	va_list list;
	va_start(list, option);
	unsigned long a = va_arg(list, unsigned long), b = va_arg(list, unsigned long),
		      c = va_arg(list, unsigned long), d = va_arg(list, unsigned long);
	va_end(list);
	real_ready();
	prctl_seen(option, a);
	return real.prctl(option, a, b, c, d);
}
