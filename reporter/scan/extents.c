#include "reporter/scan/extents.h"

#include "base/sort.h"

static bool extent_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct extent *left = a, *right = b;
	return left->start < right->start;
}

static bool whole_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct extent *left = a, *right = b;
	return left->whole < right->whole;
}

static void count_pieces(struct extents *extents)
{
	sort_items(extents->at, extents->count, sizeof *extents->at, whole_before, NULL);
	for (uint64_t first = 0, next; first < extents->count; first = next) {
		for (next = first + 1; next < extents->count; next++)
			if (extents->at[next].whole != extents->at[first].whole)
				break;
		for (uint64_t i = first; i < next; i++)
			extents->at[i].pieces = next - first > 1 ? (uint32_t)(next - first) : 0;
	}
}

void extents_sort(struct extents *extents)
{
	count_pieces(extents);
	sort_items(extents->at, extents->count, sizeof *extents->at, extent_before, NULL);
	extents->low = extents->count ? extents->at[0].start : 0;
	extents->span = extents->count ? extents->at[extents->count - 1].end - extents->low + 1 : 0;
}

/* The number of those that start at or below `address`. */
static uint64_t below(const struct extents *extents, uint64_t address)
{
	uint64_t low = 0, high = extents->count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (extents->at[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool reach(struct extents *extents, struct extent *extent)
{
	if (extent->state != EXTENT_UNKNOWN)
		return false;
	extent->state = EXTENT_REACHED;
	extents->reached++;
	for (uint64_t i = 0; UNLIKELY(extent->pieces) && i < extents->count; i++) {
		struct extent *other = &extents->at[i];
		if (other->whole != extent->whole || other->state != EXTENT_UNKNOWN)
			continue;
		other->state = EXTENT_REACHED;
		extents->reached++;
	}
	return true;
}

bool extents_reach(struct extents *extents, uint64_t address)
{
	uint64_t number = below(extents, address);
	struct extent *extent = number ? &extents->at[number - 1] : NULL;
	if (!extent || address > extent->last)
		return false;
	/* Where one begins the one below ends, and may be known by that. */
	bool below_too = number > 1 && extents->at[number - 2].last == address && reach(extents, extent - 1);
	return reach(extents, extent) || below_too;
}

void extents_look(struct extents *extents, const uint64_t *words, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (UNLIKELY(words[i] - extents->low < extents->span) &&
		    !ranges_hold(&extents->ignored, (uintptr_t)&words[i]))
			extents_reach(extents, words[i]);
	for (uint64_t i = 0; UNLIKELY(extents->mask) && i < count; i++)
		extents_reach(extents, (words[i] & extents->mask) ^ extents->exclusive);
}

const struct extent *extents_next(struct extents *extents)
{
	for (uint64_t i = 0; extents->reached && i < extents->count; i++) {
		struct extent *extent = &extents->at[i];
		if (extent->state != EXTENT_REACHED)
			continue;
		extent->state = EXTENT_READ;
		extents->reached--;
		return extent;
	}
	return NULL;
}
