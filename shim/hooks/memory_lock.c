/* mlockall, which must not bring the library's reserve of addresses into memory (platform/memory_lock.h). */
#include "hooks/hook.h"

#include <sys/mman.h>

#include "platform/memory_lock.h"
#include "platform/sys.h"
#include "registry/recording.h"

#define KNOWN_FLAGS (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)

/* Return: as mlockall; -ENOTSUP: nothing was done, the real one has to do it. */
static int lock_all(int flags)
{
	if (!recording || !(flags & MCL_CURRENT) || flags & ~KNOWN_FLAGS)
		return -ENOTSUP;
	int error = memory_lock_all((uintptr_t)recording, view_end(recording_view()), flags & MCL_ONFAULT);
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
	if (result == 0 && flags & MCL_FUTURE)
		sys_pages_are_locked();
	return result;
}
