/*
 * Blocks of the program's own pools, as it tells us through wh_pool_alloc and its kin: like allocations
 * (allocation.h), but inside of memory that is something else's: of a block of malloc's, of a mapping, of an array.
 *
 * Found by the lines of 256 bytes that they begin in, under one lock: who tells of a pool can pay for that. A block that was freed is
 * known until its memory is handed out again, so that who frees it a second time can be told so. Memory that goes takes the
 * blocks in it along: that of malloc's bears ALLOCATION_POOL, so that only who frees such a block pays for it.
 *
 * Blocks in blocks are in order: what is handed out or given back ends all that was known inside.
 *
 * A block counts at its site, not for the process, where the memory around it counts already.
 *
 * Tested by testprogs/unit/test_pool.c.
 */
#ifndef WH_REGISTRY_POOL_H
#define WH_REGISTRY_POOL_H

#include "base/context.h"
#include "registry/allocation.h"

/* What was known of a block that is given back. */
enum pool_was {
	POOL_UNKNOWN, /* nothing: not told of, or too long ago */
	POOL_LIVE,
	POOL_FREED, /* it had been given back already */
};

struct pool_freed {
	site_id site;     /* who allocated it */
	stack_id stack;   /* where it was given back */
	uint32_t thread;  /* by whom: thread_id, the low 20 bits */
	uint32_t made_by; /* likewise who allocated it */
};

/*
 * The block whose address is `hidden` (allocation_hide) is handed out. As for allocations, here and below the caller
 * has set self.busy. Context: hook.
 */
void pool_begin(uint64_t hidden, uint64_t size, stack_id stack);

/* It is given back, from `stack`. `ret_before` is filled in where it was freed before. */
enum pool_was pool_end(uint64_t address, stack_id stack, struct pool_freed *ret_before);

/* All that begins in that memory ends; nobody can free it any more. */
void pool_clear(uint64_t start, uint64_t bytes);

/*
 * A block of malloc's with ALLOCATION_POOL was resized. Return: the flag, where it still has blocks of a pool in it, since
 * it lies where it lay.
 */
unsigned pool_resized(const struct allocation *was, uint64_t now, uint64_t bytes);

/* One was handed out or given back at a time when that could not be recorded. Context: signal. */
void pool_missed(void);

/* Whether there may be any at all. Context: signal. */
bool pool_any(void);

/* What is known of the live block that starts at `address`. Context: signal. */
bool pool_find(uint64_t address, struct allocation *ret_allocation);

/* Each live block, in no order; false from `each` ends it. Context: reporter. */
void pool_each(bool (*each)(const struct allocation *block, void *data), void *data);

/* How many blocks pool_each has at the most; 0 where something was missed, and what is known may be long gone. */
uint64_t pool_count(void);

/* In a fork child: nothing is known. Context: hook. */
void pool_fork_child(void);

#endif
