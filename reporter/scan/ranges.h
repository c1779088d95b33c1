/*
 * A list of address ranges: what is to be left out of the scan, or is the
 * allocator's. Filled in any order, then sorted and merged once, then asked.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_RANGES_H
#define WH_REPORTER_SCAN_RANGES_H

#include "base/types.h"

struct range {
	uint64_t start, end; /* end is the first address behind it */
};

struct ranges {
	struct range *at;
	uint64_t count, room;
	bool failed; /* memory ran out: something is missing */
};

/* Empty ranges are ignored. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);

/* Sorts, and merges what overlaps or touches. To be called before any of the following. */
void ranges_sort(struct ranges *ranges);

bool ranges_hold(const struct ranges *ranges, uint64_t address);

/*
 * The next piece of [*from, end) that no range covers; *from moves behind it. Return: false: there is none.
 */
bool ranges_gap(const struct ranges *ranges, uint64_t *from, uint64_t end, struct range *ret_gap);

/* The first piece of [from, end) that a range covers. Return: false: there is none. */
bool ranges_next(const struct ranges *ranges, uint64_t from, uint64_t end, struct range *ret_piece);

void ranges_release(struct ranges *ranges);

#endif
