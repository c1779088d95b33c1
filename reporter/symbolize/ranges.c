#include "reporter/symbolize/ranges.h"

#include <stdlib.h>

#include "base/context.h"

bool ranges_add(struct ranges *ranges, uint64_t low, uint64_t high, uint32_t item, uint32_t rank)
{
	if (low >= high)
		return false;
	if (ranges->count == ranges->size) {
		size_t size = ranges->size ? ranges->size * 2 : 16;
		struct range *grown = reallocarray(ranges->at, size, sizeof(*grown));
		if (!grown)
			return false;
		ranges->at = grown;
		ranges->size = size;
	}
	ranges->at[ranges->count++] = (struct range){ .low = low, .high = high, .item = item, .rank = rank };
	return true;
}

/* What is to be found first comes last: of two that begin alike the narrower, of two equal ones the higher rank. */
static int compare(const void *left, const void *right)
{
	const struct range *a = left;
	const struct range *b = right;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high > b->high ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

void ranges_sort(struct ranges *ranges)
{
	if (!ranges->count)
		return;
	qsort(ranges->at, ranges->count, sizeof(*ranges->at), compare);
	uint64_t reach = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		reach = MAX_OF(reach, ranges->at[i].high);
		ranges->at[i].reach = reach;
	}
}

/* From number `count` - 1 downward, the first that holds `address`. */
static const struct range *find_below(const struct ranges *ranges, size_t count, uint64_t address)
{
	while (count-- && ranges->at[count].reach > address)
		if (ranges->at[count].high > address)
			return &ranges->at[count];
	return NULL;
}

const struct range *ranges_find(const struct ranges *ranges, uint64_t address)
{
	size_t low = 0;
	size_t high = ranges->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges->at[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return find_below(ranges, low, address);
}

const struct range *ranges_outer(const struct ranges *ranges, const struct range *inner, uint64_t address)
{
	return find_below(ranges, (size_t)(inner - ranges->at), address);
}

void ranges_release(struct ranges *ranges)
{
	free(ranges->at);
	*ranges = (struct ranges){ 0 };
}
