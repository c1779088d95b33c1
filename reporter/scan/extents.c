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

static void join_pieces(struct extents *extents)
{
	sort_items(extents->at, extents->count, sizeof *extents->at, whole_before, NULL);
	for (uint64_t first = 0, next; first < extents->count; first = next) {
		for (next = first + 1; next < extents->count; next++) {
			if (extents->at[next].whole != extents->at[first].whole)
				break;
			extents->at[next - 1].beside = extents->at[next].start;
		}
		extents->at[next - 1].beside = extents->at[first].start;
	}
}

void extents_sort(struct extents *extents)
{
	join_pieces(extents);
	sort_items(extents->at, extents->count, sizeof *extents->at, extent_before, NULL);
	extents->low = extents->count ? extents->at[0].start : 0;
	extents->span = extents->count ? extents->at[extents->count - 1].end - extents->low + 1 : 0;
	extents->to_read = 0;
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

static void put_to_read(struct extents *extents, struct extent *extent)
{
	extent->state = EXTENT_REACHED;
	extent->following = extents->to_read;
	extents->to_read = (uint64_t)(extent - extents->at) + 1;
}

static bool reach(struct extents *extents, struct extent *extent)
{
	if (extent->state != EXTENT_UNKNOWN)
		return false;
	do {
		put_to_read(extents, extent);
		extent = &extents->at[below(extents, extent->beside) - 1];
	} while (UNLIKELY(extent->state == EXTENT_UNKNOWN));
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
	if (!extents->to_read)
		return NULL;
	struct extent *extent = &extents->at[extents->to_read - 1];
	extents->to_read = extent->following;
	extent->state = EXTENT_READ;
	return extent;
}
