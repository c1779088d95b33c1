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

#include "base/types.h"

/* Zeroed; `alignment` a power of two. NULL where the arena is full. */
void *early_alloc(size_t bytes, size_t alignment);
bool early_owns(const void *block);
size_t early_size(const void *block);

#endif
