#include "reporter/write/locks.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/sort.h"

/* While rows are being collected: found by what they are about. */
struct collection {
	struct names *names;
	struct lock_row **slots; /* open addressing; NULL: free */
	size_t room, count;
	bool failed;
};

static uint64_t hash_lock(unsigned kind, uint64_t handle, stack_id stack)
{
	return hash_add(hash_add(hash_mix(kind), handle), handle ? 0 : stack);
}

static uint64_t hash_row(const void *entry)
{
	const struct lock_row *row = entry;
	return hash_lock(row->kind, row->handle, row->newest->stack);
}

/* A place more in the row of a lock; the places of several locks each have a row. NULL without memory. */
static struct lock_place *place_add(struct collection *all, unsigned kind, uint64_t handle, stack_id stack,
				    unsigned mode)
{
	struct arena *arena = all->names->arena;
	struct lock_place *place = arena_alloc(arena, sizeof(*place));
	all->failed =
	    !place || !names_table_grow(arena, (void ***)&all->slots, &all->room, all->count, hash_row);
	if (all->failed)
		return NULL;
	*place = (struct lock_place){ .stack = stack, .mode = (uint8_t)mode };
	size_t at = hash_lock(kind, handle, stack) & (all->room - 1);
	while (all->slots[at] &&
	       (!handle || all->slots[at]->kind != kind || all->slots[at]->handle != handle))
		at = (at + 1) & (all->room - 1);
	struct lock_row *row = all->slots[at];
	if (!row) {
		all->failed = !(row = arena_alloc(arena, sizeof(*row)));
		if (all->failed)
			return NULL;
		*row = (struct lock_row){ .kind = (uint8_t)kind, .handle = handle };
		all->slots[at] = row;
		all->count++;
	}
	place->next = row->newest;
	row->newest = place;
	row->place_count++;
	return place;
}

/* The place of a lock, one that is known if there is any. NULL without memory. */
static struct lock_place *place_get(struct collection *all, const struct object *object, stack_id stack,
				    unsigned mode)
{
	size_t at = all->room ? hash_lock(object->kind, object->handle, stack) & (all->room - 1) : 0;
	for (; all->room && all->slots[at]; at = (at + 1) & (all->room - 1)) {
		const struct lock_row *row = all->slots[at];
		if (row->kind != object->kind || row->handle != object->handle)
			continue;
		for (struct lock_place *place = row->newest; place; place = place->next)
			if (place->stack == stack)
				return place;
	}
	return place_add(all, object->kind, object->handle, stack, mode);
}

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void lock_counts_add(struct lock_counts *sum, const struct lock_counts *counts)
{
	sum->taken += counts->taken;
	sum->waits += counts->waits;
	sum->waited += counts->waited;
	sum->waited_most = MAX_OF(sum->waited_most, counts->waited_most);
	sum->held += counts->held;
	sum->held_most = MAX_OF(sum->held_most, counts->held_most);
	sum->made_wait += counts->made_wait;
}

static void collect_uses(struct collection *all)
{
	const struct view *view = all->names->report->view;
	uint32_t uses = view_uses(view);
	uint64_t *taken = arena_array(all->names->arena, (size_t)uses + 1, sizeof(*taken));
	all->failed = !taken;
	if (taken)
		view_uses_in_cells(view, taken, uses);
	/* There is one use of a lock and a stack. */
	for (uint32_t i = 1; i <= uses && !all->failed; i++) {
		const struct rec_use *use = view_use(view, i);
		struct lock_place *place = use && kind_is_lock(use->kind)
					       ? place_add(all, use->kind, use->handle, use->stack, use->mode)
					       : NULL;
		if (place)
			place->counts = (struct lock_counts){
				.taken = taken[i] + load(&use->taken),
				.waits = load(&use->waits),
				.waited = load(&use->waited),
				.waited_most = load(&use->waited_most),
				.held = load(&use->held),
				.held_most = load(&use->held_most),
				.made_wait = load(&use->made_wait),
			};
	}
}

static nsec_t span(nsec_t from, nsec_t to)
{
	return from && to > from ? to - from : 0;
}

/* What goes on now: who waits, and whose doing that is. */
static void collect_now(struct collection *all)
{
	nsec_t now = all->names->report->snapshot->now;
	for (const struct object *object = all->names->objects; object && !all->failed;
	     object = object->next) {
		if (!kind_is_lock(object->kind))
			continue;
		/* Several readers: one is enough to wait for. */
		const struct rec_hold *held = object->holders ? object->holders->hold : NULL;
		struct lock_place *holder = held ? place_get(all, object, held->stack, held->mode) : NULL;
		if (holder && held->timed)
			lock_counts_add(&holder->counts,
					&(struct lock_counts){ .held = span(held->since, now),
							       .held_most = span(held->since, now) });
		for (const struct holder *at = object->waiters; at; at = at->next) {
			nsec_t waited = span(at->wait->since, now);
			struct lock_place *waiter = place_get(all, object, at->wait->stack, at->wait->mode);
			if (waiter)
				lock_counts_add(&waiter->counts,
						&(struct lock_counts){
						    .waits = 1, .waited = waited, .waited_most = waited });
			if (holder)
				holder->counts.made_wait += MIN_OF(waited, span(held->since, now));
		}
	}
}

/* -- in order ---------------------------------------------------------------- */

/* Less than 0: `a` goes first. */
static int compare_counts(const struct lock_counts *a, const struct lock_counts *b)
{
	if (a->waited != b->waited)
		return a->waited > b->waited ? -1 : 1;
	if (a->made_wait != b->made_wait)
		return a->made_wait > b->made_wait ? -1 : 1;
	return a->taken == b->taken ? 0 : a->taken > b->taken ? -1 : 1;
}

static bool row_before(const void *a, const void *b, void *data)
{
	const struct lock_row *one = *(struct lock_row *const *)a, *other = *(struct lock_row *const *)b;
	int order = compare_counts(&one->counts, &other->counts);
	(void)data;
	return order ? order < 0 : one->handle < other->handle;
}

static bool place_before(const void *a, const void *b, void *data)
{
	const struct lock_place *one = *(struct lock_place *const *)a,
				*other = *(struct lock_place *const *)b;
	int order = compare_counts(&one->counts, &other->counts);
	(void)data;
	return order ? order < 0 : one->stack < other->stack;
}

static bool finish_row(struct names *names, struct lock_row *row)
{
	uint32_t at = 0;
	row->places = arena_array(names->arena, row->place_count, sizeof(*row->places));
	if (!row->places)
		return false;
	for (struct lock_place *place = row->newest; place; place = place->next) {
		lock_counts_add(&row->counts, &place->counts);
		row->places[at++] = place;
	}
	sort_items(row->places, at, sizeof(*row->places), place_before, NULL);
	return true;
}

int locks_collect(struct names *names, struct lock_table *ret_table)
{
	struct collection all = { .names = names };
	collect_uses(&all);
	collect_now(&all);
	struct lock_table table = { .rows = arena_array(names->arena, all.count + 1, sizeof(*table.rows)) };
	for (size_t i = 0; i < all.room && table.rows && !all.failed; i++) {
		struct lock_row *row = all.slots[i];
		if (!row)
			continue;
		all.failed = !finish_row(names, row);
		table.rows[table.count++] = row;
		table.waited_for += row->counts.waits != 0;
		lock_counts_add(&table.total, &row->counts);
	}
	if (!table.rows || all.failed)
		return -ENOMEM;
	sort_items(table.rows, table.count, sizeof(*table.rows), row_before, NULL);
	*ret_table = table;
	return 0;
}

const char *lock_row_text(struct names *names, const struct lock_row *row)
{
	if (!row->handle)
		return names_format(names, "several %s", kind_noun(row->kind, 2));
	return object_text(names, object_get(names, row->kind, row->handle, 0, 0), OBJECT_PLAIN);
}
