/*
 * Segments of System V shared memory by the numbers of their system calls, with the arguments of syscall().
 * Return: as it; errno is set.
 */
#ifndef WH_HOOKS_SHARED_MEMORY_H
#define WH_HOOKS_SHARED_MEMORY_H

#include "hooks/hook.h"

long shared_memory_syscall_attach(long number, long segment, long wanted, long flags);
long shared_memory_syscall_detach(long number, long start);

#endif
