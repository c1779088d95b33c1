#include "reporter/scan/lost.h"

#include "base/sort.h"
#include "platform/sys.h"
#include "registry/opened.h"
#include "reporter/scan/numbers.h"
#include "reporter/scan/resources.h"

static bool by_handle(const void *a, const void *b, void *data)
{
	(void)data;
	const struct rec_hold *left = &((const struct lost_resource *)a)->hold;
	const struct rec_hold *right = &((const struct lost_resource *)b)->hold;
	if (left->handle != right->handle)
		return left->handle < right->handle;
	if (left->owner != right->owner)
		return left->owner < right->owner;
	return left->serial < right->serial;
}

/* NULL: it is not among them. */
static const struct lost_resource *find(const struct lost_resources *lost, const struct rec_hold *hold)
{
	const struct lost_resource wanted = { .hold = *hold };
	uint64_t low = 0, high = lost->count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (by_handle(&lost->at[middle], &wanted, NULL))
			low = middle + 1;
		else
			high = middle;
	}
	const struct lost_resource *found = &lost->at[low];
	return low < lost->count && !by_handle(&wanted, found, NULL) && found->hold.kind == hold->kind ? found
												       : NULL;
}

void lost_resources_settle(struct lost_resources *lost, const struct snapshot *snapshot,
			   const uint64_t *verdicts, const struct lost_resources *before)
{
	lost->count = 0;
	for (uint32_t i = 0; i < snapshot->resource_count && lost->count < lost->room; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		bool unknown = hold->kind == KIND_DESCRIPTOR && verdicts[i] == RESOURCE_UNJUDGED;
		if ((!unknown && verdicts[i] < RESOURCE_LOST) || (before && !find(before, hold)))
			continue;
		lost->at[lost->count++] =
		    (struct lost_resource){ *hold, unknown ? 0 : verdicts[i] - RESOURCE_LOST };
	}
	sort_items(lost->at, lost->count, sizeof *lost->at, by_handle, NULL);
}

/* How many its place has open, the lost ones among them. */
static uint32_t count_open(const struct snapshot *snapshot, const struct finding_item *item)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		count += snapshot->resources[i].stack == item->stack &&
			 snapshot->resources[i].kind == item->object_kind;
	return count;
}

void lost_resources_report(const struct lost_resources *lost, const struct snapshot *snapshot, uint32_t flags,
			   struct finding_list *list)
{
	uint32_t from = list->count;
	for (uint32_t i = 0; i < snapshot->resource_count && lost->count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		const struct lost_resource *found = find(lost, hold);
		if (!found)
			continue;
		if (hold->kind == KIND_DESCRIPTOR &&
		    (!opened_again(hold->stack) || !numbers_lose(sys_pid(), hold->handle)))
			continue;
		resources_add_lost(snapshot, hold, found->dragged, sys_pid(), flags, from, list);
	}
	for (uint32_t i = from; i < list->count; i++)
		list->found[i]->items[0].count = count_open(snapshot, &list->found[i]->items[0]);
}
