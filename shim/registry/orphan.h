/*
 * Locks that a fork child got locked, by threads that are not in it. What the parent's recording says of
 * them is copied while the child can still see it; its stacks are written to the child's own recording
 * only when somebody asks.
 *
 * Written by the child's first thread alone, before there is another; later it is only read.
 */
#ifndef WH_REGISTRY_ORPHAN_H
#define WH_REGISTRY_ORPHAN_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

/* In a fork child, with the parent's recording still in place. `forked`: where fork was called, 0: unknown. Context: hook. */
void orphans_collect(stack_id forked);

/*
 * What is known of the hold of a thread with that kernel number in the parent (0: of any thread), as a part of a misuse.
 * What is not known of it is 0. Context: hook.
 */
struct rec_misuse_part orphan_part(enum kind kind, uint64_t handle, int32_t tid);

/* How many threads of the parent had it. Context: hook. */
uint32_t orphan_holders(enum kind kind, uint64_t handle);

/* Where the process was forked. Context: hook. */
struct rec_misuse_part orphan_forked(void);

#endif
