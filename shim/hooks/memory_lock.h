/*
 * mlockall by its number: what syscall() is called with goes the way of the function. Context: hook.
 */
#ifndef WH_HOOKS_MEMORY_LOCK_H
#define WH_HOOKS_MEMORY_LOCK_H

#include "hooks/hook.h"

/* Of SYS_mlockall, with the arguments of syscall(). Return: as it; errno is set. */
long memory_lock_syscall(long number, long flags);

#endif
