/* mlockall and munlockall, of which the first must not bring the library's reserve of addresses into memory (platform/memory_lock.h). */
#include "hooks/memory_lock.h"

#include <sys/mman.h>

#include "platform/memory_lock.h"
#include "platform/sys.h"
#include "registry/recording.h"

#define KNOWN_FLAGS (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)

/* The program has memory to come locked as well. */
static bool future_locked;

static int lock_current(int flags)
{
	return memory_lock_all((uintptr_t)recording, view_end(recording_view()), flags & MCL_ONFAULT);
}

/*
 * A call without MCL_FUTURE ends what an earlier one with it has begun. There is no call for that alone: all is
 * unlocked, and what is there locked again, once it is known that this will not be refused.
 */
static int end_future(int flags)
{
	int error = lock_current(flags);
	if (error)
		return error;
	future_locked = false;
	sys_call0(SYS_munlockall);
	return lock_current(flags);
}

/* Return: as mlockall; -ENOTSUP: nothing was done, the real one has to do it. */
static int lock_all(int flags)
{
	if (!recording || !(flags & MCL_CURRENT) || flags & ~KNOWN_FLAGS)
		return -ENOTSUP;
	bool ends = !(flags & MCL_FUTURE) && future_locked;
	int error = ends ? end_future(flags) : lock_current(flags);
	if (error == -ENOTSUP)
		return error;
	if (error) {
		errno = -error;
		return -1;
	}
	return flags & MCL_FUTURE ? real.mlockall(flags & ~MCL_CURRENT) : 0;
}

EXPORT int mlockall(int flags)
{
	real_ready();
	int result = lock_all(flags);
	if (result == -ENOTSUP)
		result = real.mlockall(flags);
	if (result == 0 && flags & MCL_FUTURE) {
		sys_pages_are_locked();
		future_locked = true;
	}
	return result;
}

EXPORT int munlockall(void)
{
	real_ready();
	future_locked = false;
	return real.munlockall();
}

long memory_lock_syscall(long number, long flags)
{
	(void)number;
	return mlockall((int)flags);
}
