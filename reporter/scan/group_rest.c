#include "reporter/scan/group_rest.h"

#include "base/hash.h"
#include "base/sort.h"

#define TOLD_EACH 800u /* the largest, each for itself */
#define FOLDS (GROUPS_TOLD - TOLD_EACH)
/* Frames that are the same: who allocates, and through which helpers. Chosen by feel. */
#define FRAMES_ALIKE 4u

static uint64_t beginning_of(const struct view *view, const struct group *group)
{
	const struct rec_site *site = view_site(view, group->site);
	const struct rec_stack *stack = site ? view_stack(view, site->stack) : NULL;
	uint64_t hash = 0;
	for (uint32_t i = 0; stack && i < MIN_OF(stack->count, FRAMES_ALIKE); i++)
		hash = hash_add(hash, stack->frames[i]);
	return hash;
}

static void add(struct group *to, const struct group *from)
{
	to->bytes += from->bytes;
	to->count += from->count;
	to->indirect_bytes += from->indirect_bytes;
	to->indirect_count += from->indirect_count;
	to->cycle |= from->cycle;
	to->threads_differ |= from->threads_differ || from->thread != to->thread;
	to->alike++;
}

uint64_t group_rest_fold(const struct view *view, struct group *groups, uint64_t count)
{
	uint64_t beginnings[FOLDS];
	struct group *folds = groups + TOLD_EACH;
	uint64_t used = 0;
	if (count <= GROUPS_TOLD)
		return count;
	for (uint64_t i = TOLD_EACH; i < count; i++) {
		const struct group group = groups[i];
		uint64_t beginning = beginning_of(view, &group), at = 0;
		while (at < used && beginnings[at] != beginning)
			at++;
		if (at < used) {
			add(&folds[at], &group);
		} else if (used < FOLDS) {
			beginnings[used] = beginning;
			folds[used++] = group;
		} else {
			folds[FOLDS - 1].site = 0;
			folds[FOLDS - 1].others[0] = 0;
			add(&folds[FOLDS - 1], &group);
		}
	}
	sort_items(groups, TOLD_EACH + used, sizeof *groups, group_before, NULL);
	return TOLD_EACH + used;
}
