/*
 * Ranges of addresses that don't overlap, in their order: a treap, whose priorities are hashes, so that its shape depends
 * on what is in it alone and adding, finding and removing take some log2(count) steps.
 *
 * Lies in an array of the caller's: of `room` entries, zeroed, the first of which is not used. An interval is named by its number there,
 * which stays the same until it is removed; 0: none.
 *
 * One owner. Context: signal.
 */
#ifndef WH_BASE_INTERVALS_H
#define WH_BASE_INTERVALS_H

#include "base/types.h"

struct interval {
	uint64_t start, end; /* end is the first address behind it */
	uint64_t tag;        /* the caller's */
	uint32_t left, right;
};

struct intervals {
	struct interval *at;
	uint32_t room;
	uint32_t root;
	uint32_t used; /* entries that have ever been in use */
	uint32_t free; /* a chain by `right` */
};

/* The lowest one of which something lies in [from, end). */
uint32_t intervals_first(const struct intervals *intervals, uint64_t from, uint64_t end);

/* Adds [start, end), of which nothing is in there yet. Return: its number; 0: there is no room. */
uint32_t intervals_add(struct intervals *intervals, uint64_t start, uint64_t end, uint64_t tag);

void intervals_remove(struct intervals *intervals, uint32_t number);

#endif
