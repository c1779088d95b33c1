/*
 * Who freed a block, for a while: what a second free of it can be told with.
 *
 * A thread that allocates a lot keeps the return addresses of its latest frees beside the counters that it
 * has to write just then (struct rec_cells): two stores. A thread's first frees, before it has such counters, take
 * their time anyway: of those the whole stack is kept, in one small table of the process.
 *
 * Both are by address, and what comes later to the same place is all that is known of it. A reader may see
 * one address with another's caller, if that very moment is the one in which it looks.
 *
 * Context: hook.
 */
#ifndef WH_REGISTRY_FREED_H
#define WH_REGISTRY_FREED_H

#include "base/context.h"
#include "registry/count.h"
#include "registry/format.h"

static inline unsigned freed_place(uint64_t address)
{
	return (unsigned)(address >> 5) % REC_FREED_EACH;
}

/* The calling thread, whose are the cells, frees that block; `caller` is where the call returns to. */
ALWAYS_INLINE void freed_note(struct rec_cells *cells, uint64_t address, const void *caller)
{
	struct rec_freed *freed = &cells->freed[freed_place(address)];
	__atomic_store_n((uint64_t *)&freed->caller, (uintptr_t)caller, __ATOMIC_RELAXED);
	__atomic_store_n((uint64_t *)&freed->address, address, __ATOMIC_RELAXED);
}

/* The same on a less usual way, of a block from `site`; `frame` is that of the hook, as for stack_capture. */
void freed_note_other(uint64_t address, site_id site, const void *frame);

/* Who freed that block last. Return: false: it is too long ago, or was not seen. */
bool freed_find(uint64_t address, site_id site, struct rec_misuse_part *ret_part);

void freed_fork_child(void);

#endif
