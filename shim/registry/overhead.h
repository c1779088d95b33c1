/*
 * What recording allocations costs the program, in CPU time, where the option max_overhead asks for it: one allocation in
 * many is captured twice, the first time between two looks at the clock, and stands for all of them. Past the limit
 * allocations are sampled from then on.
 *
 * Costs nothing where the option is off. Locks are not part of it: sampling would not make them cheaper.
 */
#ifndef WH_REGISTRY_OVERHEAD_H
#define WH_REGISTRY_OVERHEAD_H

#include "base/context.h"
#include "base/types.h"

/* An allocation that stands for `count`, made on behalf of the hook whose frame is given. Context: hook; self.busy is set. */
void overhead_sample(const void *frame, unsigned count);

/* Compares what it has cost lately with the process's CPU time, and draws the consequence. Context: reporter. */
void overhead_tick(void);

/* In a fork child: it begins at 0. */
void overhead_fork_child(void);

#endif
