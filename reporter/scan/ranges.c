#include "reporter/scan/ranges.h"

#include "base/context.h"
#include "base/sort.h"
#include "reporter/scan/memory.h"

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	/* Most callers go upward. */
	struct range *last = ranges->count ? &ranges->at[ranges->count - 1] : NULL;
	if (last && start >= last->start && start <= last->end) {
		if (end > last->end)
			last->end = end;
		return;
	}
	struct range *at = memory_grow(ranges->at, ranges->count, &ranges->room, sizeof *at);
	if (!at) {
		ranges->failed = true;
		return;
	}
	ranges->at = at;
	at[ranges->count++] = (struct range){ start, end };
}

static bool before(const void *a, const void *b, void *data)
{
	(void)data;
	return ((const struct range *)a)->start < ((const struct range *)b)->start;
}

static bool is_sorted(const struct ranges *ranges)
{
	for (uint64_t i = 1; i < ranges->count; i++)
		if (ranges->at[i].start < ranges->at[i - 1].start)
			return false;
	return true;
}

void ranges_sort(struct ranges *ranges)
{
	struct range *at = ranges->at;
	if (!is_sorted(ranges))
		sort_items(at, ranges->count, sizeof *at, before, NULL);
	uint64_t kept = 0;
	for (uint64_t i = 0; i < ranges->count; i++) {
		if (kept && at[i].start <= at[kept - 1].end) {
			if (at[i].end > at[kept - 1].end)
				at[kept - 1].end = at[i].end;
		} else {
			at[kept++] = at[i];
		}
	}
	ranges->count = kept;
}

/* The first range that ends behind `address`; `count`: none. */
static uint64_t first_behind(const struct ranges *ranges, uint64_t address)
{
	uint64_t low = 0, high = ranges->count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (ranges->at[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ranges_hold(const struct ranges *ranges, uint64_t address)
{
	uint64_t i = first_behind(ranges, address);
	return i < ranges->count && ranges->at[i].start <= address;
}

bool ranges_gap(const struct ranges *ranges, uint64_t *from, uint64_t end, struct range *ret_gap)
{
	uint64_t start = *from;
	uint64_t i = first_behind(ranges, start);
	while (i < ranges->count && ranges->at[i].start <= start)
		start = ranges->at[i++].end;
	if (start >= end)
		return false;
	uint64_t stop = i < ranges->count && ranges->at[i].start < end ? ranges->at[i].start : end;
	*ret_gap = (struct range){ start, stop };
	*from = stop;
	return true;
}

bool ranges_next(const struct ranges *ranges, uint64_t from, uint64_t end, struct range *ret_piece)
{
	uint64_t i = first_behind(ranges, from);
	if (i == ranges->count || ranges->at[i].start >= end)
		return false;
	*ret_piece = (struct range){ MAX_OF(ranges->at[i].start, from), MIN_OF(ranges->at[i].end, end) };
	return true;
}

void ranges_release(struct ranges *ranges)
{
	memory_free(ranges->at, ranges->room, sizeof *ranges->at);
	*ranges = (struct ranges){ 0 };
}
