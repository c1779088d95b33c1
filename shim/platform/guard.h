/*
 * A guard: code of ours that reads memory which may not be there after all (a
 * mapping that another process cut, a page that the kernel can't bring back) must
 * not bring the program down. A fault inside of it ends the guarded call instead.
 *
 * The process's handlers of SIGSEGV and SIGBUS are exchanged for the length of the
 * call and put back. A fault of another thread meanwhile is the program's own: it
 * gets its own handler back and the instruction is tried again.
 *
 * Context: hook at the end of the process, or reporter. One at a time.
 */
#ifndef WH_PLATFORM_GUARD_H
#define WH_PLATFORM_GUARD_H

#include "base/types.h"

/* Return: false: it faulted and was left where it stood (what it had mapped stays mapped). */
bool guard_call(void (*run)(void *data), void *data);

#endif
