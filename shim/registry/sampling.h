/*
 * Sampling allocations by bytes: each byte allocated has the same small chance to
 * be the one that is looked at, so a block of `size` is recorded with probability
 * 1 - exp(-size / mean), and counts for 1 / that probability. Totals by site are
 * unbiased then, whatever the sizes (the method of gperftools and jemalloc).
 */
#ifndef WH_REGISTRY_SAMPLING_H
#define WH_REGISTRY_SAMPLING_H

#include "base/context.h"
#include "base/types.h"

/* What a recorded block of `size` bytes counts for. Pure. Context: signal. */
struct sampling_weight {
	int64_t bytes, blocks;
};
struct sampling_weight sampling_weigh(uint64_t size, uint64_t mean);

/* Bytes until the next sample: exponentially distributed with mean `mean`. `state` is the thread's, 0 to begin with. */
int64_t sampling_draw(uint64_t *state, uint64_t mean);

#endif
