/*
 * Titles, by family: what title.c puts into its table, and what all of them say alike. For the title*.c
 * files alone.
 *
 * Context: reporter.
 */
#ifndef WH_WRITE_TITLE_H
#define WH_WRITE_TITLE_H

#include "reporter/write/accounts.h"
#include "reporter/write/objects.h"

/* The first item with that role at or behind `from`; NULL: none. */
static inline const struct finding_item *item_with(const struct finding *finding, enum role role,
						   uint32_t from)
{
	for (uint32_t i = from; i < finding_items(finding); i++)
		if (finding->items[i].role == role)
			return &finding->items[i];
	return NULL;
}

/* ", JOIN load_row", or nothing where the item's stack says nothing. */
static inline const char *place(struct names *names, const char *join, const struct finding_item *item)
{
	const char *function = item ? names_own_function(names, item->stack) : NULL;
	return function ? names_format(names, "%s %s", join, function) : "";
}

/* ", 5 times", of what is an event and no state; nothing where it was once. */
static inline const char *times(struct names *names, const struct finding *finding)
{
	return finding->count > 1 ? names_format(names, ", %s times", names_count(names, finding->count))
				  : "";
}

static inline const char *subject(struct names *names, const struct finding *finding)
{
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].thread == finding->thread)
			return names_item_thread(names, &finding->items[i]);
	return names_thread(names, finding->thread, NULL);
}

/* title_misuse.c */
const char *title_not_owner_unlock(struct names *names, const struct account *account);
const char *title_destroyed_in_use(struct names *names, const struct account *account);
const char *title_reinit_in_use(struct names *names, const struct account *account);
const char *title_cond_misuse(struct names *names, const struct account *account);
const char *title_fork_held(struct names *names, const struct account *account);
const char *title_thread_leak(struct names *names, const struct account *account);
const char *title_stack_depth(struct names *names, const struct account *account);
/* Of a thread that was joined or detached when there was nothing left to join. */
const char *title_thread_twice(struct names *names, const struct finding *finding,
			       const struct finding_item *again, const struct finding_item *first);

#endif
