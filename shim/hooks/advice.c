/* madvise: which memory of the program's a copy of the process would not have. */
#include "hooks/hook.h"

#include <sys/mman.h>

#include "platform/unforked.h"

EXPORT int madvise(void *start, size_t bytes, int advice)
{
	real_ready();
	int result = real.madvise(start, bytes, advice);
	if (result == 0)
		unforked_note((uintptr_t)start, bytes, advice);
	return result;
}
