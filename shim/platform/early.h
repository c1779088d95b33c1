/*
 * Memory for the few allocations that are made while the real allocator is being
 * looked up (dlsym allocates). A bump arena in our own .bss; what is freed stays.
 * The only owner of such a block is this arena: every free and realloc asks
 * early_owns first.
 *
 * Context: signal.
 */
#ifndef WH_PLATFORM_EARLY_H
#define WH_PLATFORM_EARLY_H

#include "base/context.h"
#include "base/types.h"

/* Zeroed; `alignment` a power of two. NULL where the arena is full. */
void *early_alloc(size_t bytes, size_t alignment);
/* heaptrack's 1,024 bytes were too few; libleak's 1 MiB was never used up. */
#define EARLY_BYTES (128 * 1024)
extern HIDDEN char early_arena[EARLY_BYTES];

static inline bool early_owns(const void *block)
{
	return (uintptr_t)block - (uintptr_t)early_arena < EARLY_BYTES;
}

size_t early_size(const void *block);

#endif
