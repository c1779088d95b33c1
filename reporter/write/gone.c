#include "reporter/write/gone.h"

#include <errno.h>

#include "base/sort.h"

/* Of one thread that of which most is known first. */
static bool gone_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct gone_thread *left = a, *right = b;
	if (left->id != right->id)
		return left->id < right->id;
	if (!left->name != !right->name)
		return left->name;
	return left->tid > right->tid;
}

static size_t count_all(const struct names *names, const struct accounts *accounts)
{
	size_t count = 0;
	for (uint32_t i = 0; i < accounts->count; i++)
		count += 1 + (size_t)finding_items(accounts->all[i].finding);
	for (const struct object *object = names->objects; object; object = object->next)
		count += object->holder_count;
	return count;
}

static void put_all(const struct names *names, const struct accounts *accounts, struct gone_threads *list)
{
	for (uint32_t i = 0; i < accounts->count; i++) {
		const struct finding *finding = accounts->all[i].finding;
		list->at[list->count++] = (struct gone_thread){ .id = finding->thread };
		for (uint32_t j = 0; j < finding_items(finding); j++) {
			const struct finding_item *item = &finding->items[j];
			list->at[list->count++] =
			    (struct gone_thread){ .id = item->thread,
						  .tid = item->tid,
						  .name = item->thread_name[0] ? item->thread_name : NULL };
		}
	}
	for (const struct object *object = names->objects; object; object = object->next) {
		uint32_t room = object->holder_count;
		for (const struct holder *at = object->holders; at && room; at = at->next, room--)
			list->at[list->count++] = (struct gone_thread){ .id = at->thread };
	}
}

int gone_threads_find(const struct names *names, const struct accounts *accounts,
		      struct gone_threads *ret_gone)
{
	struct gone_threads all = { .at = arena_array(names->arena, count_all(names, accounts) + 1,
						      sizeof(*all.at)) };
	*ret_gone = (struct gone_threads){ 0 };
	if (!all.at)
		return -ENOMEM;
	put_all(names, accounts, &all);
	sort_items(all.at, all.count, sizeof(*all.at), gone_before, NULL);
	ret_gone->at = all.at;
	thread_id last = 0;
	for (uint32_t i = 0; i < all.count; i++) {
		const struct gone_thread thread = all.at[i];
		if (thread.id != last && !snapshot_thread(names->report->snapshot, thread.id))
			all.at[ret_gone->count++] = thread;
		last = thread.id;
	}
	return 0;
}
