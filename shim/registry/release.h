/*
 * What has been given back, for as long as its place in a small table is not needed for something else: so a
 * second release of the same thing can be told from one of a thing that we know nothing of.
 *
 * Only what is certain becomes a finding (released-twice). It is not certain where an event may have been missed:
 * one that was dropped or found no room, one of the parent's before a fork, a handle that was acquired more than once.
 * A handle that is an address of the allocator's (kind trait MEMORY) may have been given out again by a function
 * that no hook saw: it counts only where the block it named is gone. The same goes for what libraries hand out (resource.of_block).
 *
 * All functions: Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_RELEASE_H
#define WH_REGISTRY_RELEASE_H

#include "registry/hold.h"

/*
 * `what` is about to be released, by the calling thread: its hold ends, or it is wrong and noted as such.
 * `what->stack` is where, or else `what->frame`. Return: whether it was open.
 */
bool release_begin(const struct resource *what);

/* The part of it for what is known not to be open. */
void release_unknown(const struct resource *what);

/* In a fork child: what the parent has released is its own business. */
void release_fork_child(void);

#endif
