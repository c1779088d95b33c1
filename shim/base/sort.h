/*
 * Sorting in place without memory: qsort may call malloc, and detectors run on
 * the reporter thread of a process that may be stuck inside malloc.
 *
 * Heap sort: not stable, so `before` should tell any two items apart where the
 * order shows.
 */
#ifndef WH_BASE_SORT_H
#define WH_BASE_SORT_H

#include "base/context.h"
#include "base/types.h"

/* Whether `a` belongs in front of `b`. `data` is what the caller of sort_items gave. */
typedef bool sort_before(const void *a, const void *b, void *data);

/* Sorts `count` items of `size` bytes. Cost: n log n, also in the worst case. Context: signal. */
void sort_items(void *items, size_t count, size_t size, sort_before *before, void *data);

#endif
