/*
 * Arrays of the scan's own: pages straight from the kernel, since the program's
 * allocator is what is being looked at. They are never roots (sys_pages_each).
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_MEMORY_H
#define WH_REPORTER_SCAN_MEMORY_H

#include "base/types.h"

/*
 * Room for at least `count` + 1 elements of `size` bytes in the array at `at`, of which `count` are
 * in use; *room is kept. Return: the array, moved perhaps, or NULL where there is no memory; the
 * old one is still the caller's then.
 */
void *memory_grow(void *at, uint64_t count, uint64_t *room, size_t size);

/* Zeroed address space for `count` elements that takes memory as it is touched; NULL: none. */
void *memory_array(uint64_t count, size_t size);

/* Gives back what either of them returned; NULL is fine. */
void memory_free(void *at, uint64_t room, size_t size);

#endif
