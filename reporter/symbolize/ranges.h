/*
 * Address ranges, sorted, to find what holds an address: compilation units,
 * functions, inlined calls, symbols, variables. Ranges may nest and overlap
 * (hostile files, identical functions folded by the linker).
 *
 * Add, then sort once, then find. A search is a binary one, and a step for each
 * range that begins between the answer and the address.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_RANGES_H
#define WH_SYMBOLIZE_RANGES_H

#include "base/types.h"

struct range {
	uint64_t low, high; /* [low, high) */
	uint64_t reach;     /* the highest `high` up to here: where a search backwards may stop */
	uint32_t item;      /* the owner's number for it */
	uint32_t rank;      /* of two equal ranges the one of the higher rank is found first */
};

struct ranges {
	struct range *at;
	size_t count, size;
};

/* Return: false where the range is empty or there is no memory. */
bool ranges_add(struct ranges *ranges, uint64_t low, uint64_t high, uint32_t item, uint32_t rank);

void ranges_sort(struct ranges *ranges);

/* The innermost range that holds `address`: the one that begins last; NULL: none. */
const struct range *ranges_find(const struct ranges *ranges, uint64_t address);

/* The next one outward from `inner` that holds `address`; NULL: none. */
const struct range *ranges_outer(const struct ranges *ranges, const struct range *inner, uint64_t address);

void ranges_release(struct ranges *ranges);

#endif
