/*
 * Where the stacks of threads are, by libc's own thread control blocks: the thread
 * pointer points at one, at the upper end of the stack that libc made, and it
 * says where that stack begins and how long it is. Read from the outside: the block
 * points at itself in its first and third word (the ABI wants that), and holds
 * the two numbers side by side.
 *
 * libc keeps the stacks of ended threads for the next ones. What was left on them
 * is no pointer of the program's any more, and must not keep blocks alive.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_STACKS_H
#define WH_REPORTER_SCAN_STACKS_H

#include "reporter/scan/maps.h"
#include "reporter/scan/pages.h"
#include "reporter/scan/ranges.h"

/* Bytes of a control block and what libc puts behind it, at the most. */
#define CONTROL_BLOCK_BYTES ((uint64_t)4096)

/*
 * The stack of the thread whose control block is at `pointer`; it holds the block as well. Return: false: not
 * such a thread (the main one has no such stack).
 */
bool stack_of_pointer(const struct maps *maps, uint64_t pointer, struct range *ret_stack);

/*
 * Calls `each` for every control block with such a stack in the written pages of `map`. Finds those
 * of live threads and of ended ones.
 */
void stacks_each(const struct maps *maps, const struct map *map, struct pages *pages,
		 void (*each)(uint64_t pointer, const struct range *stack, void *data), void *data);

#endif
