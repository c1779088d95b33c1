/*
 * mlockall for the program's memory alone. The library reserves gigabytes of address space of which it touches little; the
 * kernel's mlockall would bring all of that into memory, count it against the program's limit, and refuse.
 *
 * So what the program asks for is done mapping by mapping. The library's own pages stay as they are.
 */
#ifndef WH_PLATFORM_MEMORY_LOCK_H
#define WH_PLATFORM_MEMORY_LOCK_H

#include "base/types.h"

/*
 * Locks all of the process's mappings but the pages of sys_pages_each and those from `but_start` to `but_end`. `on_fault`:
 * pages that are not there are locked when they come (MCL_ONFAULT), else they are brought in. Return: 0; -ENOMEM, -EPERM or
 * -EAGAIN as the kernel answers, and nothing is locked; -ENOTSUP: the mappings can't be read, or it is more than the process
 * may lock, and nothing was done.
 * Context: hook.
 */
int memory_lock_all(uint64_t but_start, uint64_t but_end, bool on_fault);

#endif
