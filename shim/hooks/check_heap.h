/*
 * The option check=heap: guard bytes around every block, and freed blocks kept back, poisoned, for a while. Found are
 * writes just before or behind a block, and into a freed one: when the block is freed, resized or let go of, and
 * at the end of the process. Reads are not seen.
 *
 * It stands between the hooks and the real allocator: from its start the `real` functions of the allocator are its own, so
 * that hooks are as they are, and a process without it pays nothing.
 *
 * How a block looks is in checked.h, what becomes of freed ones in kept.h. Blocks from before its start have no header, and go to the real functions as they are.
 */
#ifndef WH_HOOKS_CHECK_HEAP_H
#define WH_HOOKS_CHECK_HEAP_H

#include "base/context.h"
#include "base/types.h"

/* From now on blocks are checked. Context: init. */
void check_heap_start(void);

/* Whether it is on. Context: signal. */
bool check_heap_runs(void);
/*
 * Who asks an object by its handle for a function of the allocator, and gives it a block, has it from our hooks, and the
 * allocator does not know it. Return: the hook instead, if `found` is such a function, or `found`. Context: signal.
 */
void *check_heap_instead(void *found);

/* Whether that block, live or NULL, begins behind a header of ours. Context: hook. */
bool check_heap_dressed(const void *block);

/* The allocator's own functions, whether anything is checked or not. Context: signal. */
struct real_functions;
const struct real_functions *check_heap_below(void);

/* Looks at every live block and at those that are kept back. Context: hook, at the end of the process. */
void check_heap_end(void);

#endif
