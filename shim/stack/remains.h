/*
 * What is left of the frames that a stack has had: below its live part the return addresses of functions that
 * have returned stay where they were until something else comes to lie there. From the lowest of them on, the
 * unwind tables lead through the frames as they were when the stack was deepest.
 */
#ifndef WH_STACK_REMAINS_H
#define WH_STACK_REMAINS_H

#include "base/context.h"
#include "base/types.h"

/*
 * The stack that was there when somebody wrote at `lowest`, of a stack that ends at `high`, as far as it can be
 * told; 0: it can't. Takes pages for the time of the call, and a system call or two a frame.
 * Context: hook (of the thread itself, when it has nothing better to do), reporter.
 */
stack_id stack_of_remains(uint64_t lowest, uint64_t high);

#endif
