#include "base/intervals.h"

#include "base/hash.h"

static uint64_t priority(const struct intervals *intervals, uint32_t number)
{
	return hash_mix(intervals->at[number].start);
}

uint32_t intervals_first(const struct intervals *intervals, uint64_t from, uint64_t end)
{
	uint32_t found = 0;
	for (uint32_t number = intervals->root; number;) {
		const struct interval *interval = &intervals->at[number];
		if (interval->end > from) {
			found = number;
			number = interval->left;
		} else {
			number = interval->right;
		}
	}
	return found && intervals->at[found].start < end ? found : 0;
}

/* Takes the tree `number` apart: what begins before `start`, and the rest. */
static void split(struct intervals *intervals, uint32_t number, uint64_t start, uint32_t *ret_before,
		  uint32_t *ret_behind)
{
	while (number) {
		struct interval *interval = &intervals->at[number];
		if (interval->start < start) {
			*ret_before = number;
			ret_before = &interval->right;
			number = interval->right;
		} else {
			*ret_behind = number;
			ret_behind = &interval->left;
			number = interval->left;
		}
	}
	*ret_before = *ret_behind = 0;
}

static uint32_t take(struct intervals *intervals)
{
	uint32_t number = intervals->free;
	if (number) {
		intervals->free = intervals->at[number].right;
		return number;
	}
	return intervals->used + 1 < intervals->room ? ++intervals->used : 0;
}

uint32_t intervals_add(struct intervals *intervals, uint64_t start, uint64_t end, uint64_t tag)
{
	uint32_t number = take(intervals);
	if (!number)
		return 0;
	struct interval *added = &intervals->at[number];
	*added = (struct interval){ .start = start, .end = end, .tag = tag };
	uint64_t own = priority(intervals, number);
	uint32_t *link = &intervals->root;
	while (*link && priority(intervals, *link) >= own) {
		struct interval *interval = &intervals->at[*link];
		link = start < interval->start ? &interval->left : &interval->right;
	}
	split(intervals, *link, start, &added->left, &added->right);
	*link = number;
	return number;
}

/* Puts two trees together, all of `left` before all of `right`. */
static void merge(struct intervals *intervals, uint32_t *link, uint32_t left, uint32_t right)
{
	while (left && right) {
		if (priority(intervals, left) >= priority(intervals, right)) {
			*link = left;
			link = &intervals->at[left].right;
			left = *link;
		} else {
			*link = right;
			link = &intervals->at[right].left;
			right = *link;
		}
	}
	*link = left ? left : right;
}

void intervals_remove(struct intervals *intervals, uint32_t number)
{
	struct interval *removed = &intervals->at[number];
	uint32_t *link = &intervals->root;
	while (*link && *link != number) {
		struct interval *interval = &intervals->at[*link];
		link = removed->start < interval->start ? &interval->left : &interval->right;
	}
	if (!*link)
		return;
	merge(intervals, link, removed->left, removed->right);
	*removed = (struct interval){ .right = intervals->free };
	intervals->free = number;
}
