#include "reporter/mapped.h"

#include "base/sort.h"

/* By place, the oldest first. */
static bool place_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct mapped *left = a, *right = b;
	if (left->stack != right->stack)
		return left->stack < right->stack;
	return left->since < right->since;
}

static bool larger(const void *a, const void *b, void *data)
{
	(void)data;
	const struct mapped *left = a, *right = b;
	if (left->bytes != right->bytes)
		return left->bytes > right->bytes;
	if (left->count != right->count)
		return left->count > right->count;
	return left->stack < right->stack;
}

struct mapped_list mapped_by_place(const struct snapshot *snapshot, nsec_t since, struct arena *arena)
{
	struct mapped_list list = { .at = NULL };
	struct mapped *all = arena_array(arena, (size_t)snapshot->resource_count + 1, sizeof(*all));
	uint32_t count = 0;
	for (uint32_t i = 0; all && i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		if (hold->kind != KIND_MAPPING || hold->since < since)
			continue;
		all[count] = (struct mapped){ .stack = hold->stack,
					      .count = 1,
					      .bytes = hold->bytes,
					      .since = hold->since,
					      .thread = hold->owner,
					      .op = hold->op };
		count++;
	}
	if (!count)
		return list;
	sort_items(all, count, sizeof(*all), place_before, NULL);
	for (uint32_t i = 0; i < count; i++) {
		list.mappings++;
		list.bytes += all[i].bytes;
		if (list.count && all[list.count - 1].stack == all[i].stack) {
			all[list.count - 1].count++;
			all[list.count - 1].bytes += all[i].bytes;
		} else {
			all[list.count++] = all[i];
		}
	}
	sort_items(all, list.count, sizeof(*all), larger, NULL);
	list.at = all;
	return list;
}
