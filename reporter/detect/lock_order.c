/*
 * lock-order: threads take locks in orders that close a ring, so that they can wait
 * for one another for ever, though they have not yet.
 *
 * A ring of edges (REC_EDGES) is told of where it could come about: each edge by
 * another thread; no two of the threads hold a lock in common then (a gate); at
 * each lock the one who has it keeps the other out (not both readers); and for any two of them,
 * neither has done its part before the other's by nature, because one was made after
 * it or joined before it (detect/lineage.h). What else may keep threads apart
 * (a barrier, a flag) can't be seen: hence a warning.
 *
 * Of rings of different locks made in the same places one is told. Across instances: where
 * two locks lie as far from each other in one object as two others in another, and were made by the
 * same lines, an order and its reverse are one inversion, though no object was locked both ways yet. One that was
 * is judged by itself: who did both may be the only one who ever has it.
 *
 * The shortest rings first, within a budget of steps: what is found is true whatever is left out.
 */
#include <string.h>

#include "base/sort.h"
#include "reporter/detect/detection.h"
#include "reporter/detect/lineage.h"

#define RING_MOST 64u
#define STEPS_MOST 400000u
#define PRUNE_ROUNDS 64u
#define RINGS_MOST 64u /* told of in one run */

/* As far apart as two members of one object may be; chosen somewhat arbitrarily. */
#define OBJECT_MOST 4096

struct arc { /* a copy: the target goes on writing its sights */
	struct rec_edge edge;
	uint64_t from_class, to_class; /* locks that were made by the same stack */
	uint64_t from_place, to_place; /* ... by the same line, whoever called; 0: static, or unknown */
	uint64_t from_address, to_address;
	bool is_both_ways; /* the same two locks were taken in the other order too */
};

struct part { /* of a ring: who does it */
	const struct arc *arc;
	const struct rec_sight *sight;
};

struct search {
	struct detection *run;
	struct lineage lineage;
	struct arc *arcs; /* by the lock that is held */
	uint32_t count;
	uint32_t *first; /* by lock: its first arc; one more at the end */
	uint32_t locks;
	bool *alive; /* by lock: on the way between two rings, or in one */
	struct part ring[RING_MOST];
	uint64_t told[RINGS_MOST];
	uint32_t told_count;
	uint32_t steps;
};

/* -- loading ---------------------------------------------------------------- */

static uint64_t class_of(const struct rec_lock *lock)
{
	return lock->made ? hash_add(hash_mix(lock->made), lock->offset) : hash_mix(lock->address);
}

static uint64_t place_of(const struct view *view, const struct rec_lock *lock)
{
	const struct rec_stack *made = view_stack(view, lock->made);
	return made && made->count ? hash_add(hash_mix(made->frames[0]), lock->offset) : 0;
}

static bool arc_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct arc *left = a, *right = b;
	if (left->edge.held != right->edge.held)
		return left->edge.held < right->edge.held;
	return left->edge.acquired < right->edge.acquired;
}

/* Of semaphores those that who took them has given back, and nobody else: as a lock is used, not as a signal. */
static bool is_lock(const struct view *view, const struct rec_lock *lock)
{
	if (lock->kind != KIND_SEM)
		return true;
	if (lock->is_none)
		return false;
	/* Destroyed meanwhile: then all that will ever be known of it is known. */
	const struct rec_object *object = view_object_find(view, lock->address, KIND_SEM);
	return !object || ((object->attributes & OBJECT_POSTED_BY_TAKER) &&
			   !(object->attributes & OBJECT_POSTED_BY_OTHER));
}

/* Return: false: nothing to look at, or no memory. */
static bool arc_load(struct search *search, const struct rec_edge *edge)
{
	const struct view *view = search->run->snapshot->view;
	uint32_t held = atomic_load_explicit(&edge->held, memory_order_acquire);
	const struct rec_lock *from = view_lock(view, held), *to = view_lock(view, edge->acquired);
	if (!from || !to || edge->guard_count > REC_EDGE_GUARDS || !is_lock(view, from) || !is_lock(view, to))
		return false;
	struct arc *arc = &search->arcs[search->count++];
	memcpy((void *)&arc->edge, (const void *)edge, sizeof arc->edge);
	for (uint32_t i = 0; i < REC_EDGE_SIGHTS; i++) {
		struct rec_sight *sight = &arc->edge.sights[i];
		atomic_thread_fence(memory_order_acquire);
		/* One that is being replaced shows no thread at one of the two times, or another. */
		if (atomic_load_explicit(&edge->sights[i].thread, memory_order_relaxed) != sight->thread)
			sight->thread = 0;
	}
	arc->from_class = class_of(from);
	arc->to_class = class_of(to);
	arc->from_place = place_of(view, from);
	arc->to_place = place_of(view, to);
	arc->from_address = from->address;
	arc->to_address = to->address;
	search->locks = MAX_OF(search->locks, MAX_OF(held, edge->acquired));
	return true;
}

static bool load(struct search *search)
{
	const struct view *view = search->run->snapshot->view;
	struct arena *arena = search->run->arena;
	uint32_t most = (uint32_t)(view_used(view, REC_EDGES) / sizeof(struct rec_edge));
	search->arcs = arena_array(arena, most, sizeof(*search->arcs));
	if (!search->arcs)
		return false;
	for (uint32_t i = 0; i < most; i++) {
		const struct rec_edge *edge = view_edge(view, i);
		if (edge)
			arc_load(search, edge);
	}
	sort_items(search->arcs, search->count, sizeof(*search->arcs), arc_before, NULL);
	search->first = arena_array(arena, search->locks + (size_t)2, sizeof(*search->first));
	search->alive = arena_array(arena, search->locks + (size_t)1, sizeof(*search->alive));
	if (!search->first || !search->alive)
		return false;
	for (uint32_t i = 0; i < search->count; i++)
		search->first[search->arcs[i].edge.held + 1]++;
	for (uint32_t lock = 1; lock <= search->locks + 1; lock++)
		search->first[lock] += search->first[lock - 1];
	return true;
}

/*
 * Leaves out, again and again, what nothing leads to or away from; it only saves steps, so of long
 * chains a rest may stay. Return: whether anything is left.
 */
static bool prune(struct search *search)
{
	uint32_t *in = arena_array(search->run->arena, search->locks + (size_t)1, sizeof(*in));
	uint32_t *out = arena_array(search->run->arena, search->locks + (size_t)1, sizeof(*out));
	bool changed = in && out;
	uint32_t left = changed ? search->locks : 0;
	for (uint32_t lock = 1; lock <= search->locks; lock++)
		search->alive[lock] = true;
	for (unsigned round = 0; round < PRUNE_ROUNDS && changed && left; round++) {
		changed = false;
		memset(in, 0, (search->locks + (size_t)1) * sizeof(*in));
		memset(out, 0, (search->locks + (size_t)1) * sizeof(*out));
		for (uint32_t i = 0; i < search->count; i++) {
			const struct rec_edge *edge = &search->arcs[i].edge;
			if (!search->alive[edge->held] || !search->alive[edge->acquired])
				continue;
			out[edge->held]++;
			in[edge->acquired]++;
		}
		for (uint32_t lock = 1; lock <= search->locks; lock++) {
			if (!search->alive[lock] || (in[lock] && out[lock]))
				continue;
			search->alive[lock] = false;
			left--;
			changed = true;
		}
	}
	return left;
}

/* -- whether it could come about -------------------------------------------- */

static bool keeps_out(unsigned one, unsigned other)
{
	return one != MODE_SHARED || other != MODE_SHARED;
}

/* Whether a lock that `one` holds besides is held by the other too, so that it keeps them apart. */
static bool is_guarded_by(const struct rec_edge *one, const struct rec_edge *other)
{
	for (unsigned i = 0; i < one->guard_count; i++) {
		uint32_t lock = one->guards[i] >> 1;
		unsigned mode = one->guards[i] & 1 ? MODE_SHARED : MODE_EXCLUSIVE;
		if (lock == other->held && keeps_out(mode, other->held_mode))
			return true;
		for (unsigned j = 0; j < other->guard_count; j++)
			if (other->guards[j] >> 1 == lock &&
			    keeps_out(mode, other->guards[j] & 1 ? MODE_SHARED : MODE_EXCLUSIVE))
				return true;
	}
	return false;
}

/*
 * Whether one of the guards of `one` that are not known may keep the other out: it is not what `one` acquired, so where
 * the other holds that alone nothing is in doubt.
 */
static bool may_be_guarded(const struct rec_edge *one, const struct rec_edge *other)
{
	return one->more_guards && (other->guard_count || other->more_guards || other->held != one->acquired);
}

static bool is_gated(const struct rec_edge *one, const struct rec_edge *other)
{
	return is_guarded_by(one, other) || is_guarded_by(other, one) || may_be_guarded(one, other) ||
	       may_be_guarded(other, one);
}

static uint32_t guarded_by(const struct search *search, uint32_t length, uint32_t lock)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < length; i++) {
		const struct rec_edge *edge = &search->ring[i].arc->edge;
		for (unsigned g = 0; g < edge->guard_count; g++)
			count += edge->guards[g] >> 1 == lock;
	}
	return count;
}

/* Whether all of the ring can be at it at once: a semaphore that each of them has may let in fewer. */
static bool has_room(const struct search *search, uint32_t length)
{
	const struct view *view = search->run->snapshot->view;
	for (uint32_t i = 0; i < length; i++) {
		const struct rec_edge *edge = &search->ring[i].arc->edge;
		for (unsigned g = 0; g < edge->guard_count; g++) {
			const struct rec_lock *lock = view_lock(view, edge->guards[g] >> 1);
			if (lock && lock->units &&
			    guarded_by(search, length, edge->guards[g] >> 1) > lock->units)
				return false;
		}
	}
	return true;
}

/* Whether a thread that does this could be at it together with those of the ring so far. */
static bool goes_with(struct search *search, uint32_t length, const struct rec_sight *sight)
{
	for (uint32_t i = 0; i < length; i++) {
		const struct rec_sight *other = search->ring[i].sight;
		if (other->thread == sight->thread || !lineage_overlap(&search->lineage, other, sight))
			return false;
	}
	return true;
}

/* -- telling ---------------------------------------------------------------- */

static uint64_t ring_key(const struct search *search, uint32_t length)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < length; i++)
		sum += hash_mix(search->ring[i].arc->from_class);
	return sum + length;
}

static void add_item(struct detection *run, struct finding *finding, uint32_t room, const struct part *part,
		     bool held)
{
	const struct view *view = run->snapshot->view;
	const struct rec_edge *edge = &part->arc->edge;
	const struct rec_lock *lock = view_lock(view, held ? edge->held : edge->acquired);
	struct finding_item *item = finding_add(finding, ROLE_acquired, room);
	const struct snap_thread *thread = snapshot_thread(run->snapshot, part->sight->thread);
	if (!item || !lock)
		return;
	item->thread = part->sight->thread;
	const char *name = view_text(view, part->sight->name);
	memcpy(item->thread_name, name, strnlen(name, sizeof(item->thread_name) - 1));
	if (thread)
		finding_item_thread(item, thread);
	else
		item->flags |= ITEM_ENDED;
	item->object_kind = lock->kind;
	item->handle = lock->address;
	item->place = lock->place;
	item->mode = held ? edge->held_mode : edge->acquired_mode;
	item->op = held ? edge->held_op : edge->acquired_op;
	item->stack = held ? part->sight->held_stack : part->sight->acquired_stack;
	if (item->op >= OP_COUNT)
		item->op = OP_none;
	const struct rec_object *object = view_object_find(view, lock->address, lock->kind);
	if (!object || !object->name)
		object = view_object_find(view, lock->address, KIND_NONE);
	item->name = object ? object->name : 0;
	if (!held)
		item->flags |= ITEM_SUBJECT;
}

/* `same`: what stands for this ring and those that needn't be told once it is. */
static void report(struct search *search, uint32_t length, uint64_t same)
{
	struct detection *run = search->run;
	uint64_t key = hash_add(detection_key(FINDING_lock_order), same);
	for (uint32_t i = 0; i < search->told_count; i++)
		if (search->told[i] == key)
			return;
	if (search->told_count == RINGS_MOST)
		return;
	search->told[search->told_count++] = key;
	struct finding *finding = finding_begin(run->list, FINDING_lock_order, run->snapshot, 2 * length);
	if (!finding)
		return;
	finding->key = finding->witness = key;
	finding->flags = FOUND_CYCLE;
	finding->count = length;
	finding->thread = search->ring[0].sight->thread;
	for (uint32_t i = 0; i < length; i++) {
		add_item(run, finding, 2 * length, &search->ring[i], true);
		add_item(run, finding, 2 * length, &search->ring[i], false);
	}
}

/* -- rings of locks --------------------------------------------------------- */

static bool is_on_ring(const struct search *search, uint32_t length, uint32_t lock)
{
	for (uint32_t i = 0; i < length; i++)
		if (search->ring[i].arc->edge.held == lock)
			return true;
	return false;
}

/* Whether `arc` can be the next in the ring, but for who does it. */
static bool continues(const struct search *search, uint32_t length, const struct arc *arc, bool closes)
{
	const struct rec_edge *edge = &arc->edge;
	const struct rec_edge *before = length ? &search->ring[length - 1].arc->edge : NULL;
	if (before && !keeps_out(before->acquired_mode, edge->held_mode))
		return false;
	if (closes && !keeps_out(edge->acquired_mode, search->ring[0].arc->edge.held_mode))
		return false;
	for (uint32_t i = 0; i < length; i++)
		if (is_gated(&search->ring[i].arc->edge, edge))
			return false;
	return true;
}

/*
 * Tries to make a ring of `most` edges that starts at `start`, its lowest lock, and has come to `at` with
 * `length` of them. Depth is bounded by RING_MOST, and a frame is small. Return: whether one was told.
 */
static bool follow(struct search *search, uint32_t start, uint32_t at, uint32_t length, uint32_t most)
{
	bool closes = length + 1 == most;
	for (uint32_t i = search->first[at]; i < search->first[at + 1]; i++) {
		const struct arc *arc = &search->arcs[i];
		uint32_t to = arc->edge.acquired;
		if (++search->steps > STEPS_MOST)
			return false;
		if (!search->alive[to] || (closes ? to != start : to <= start) ||
		    (!closes && is_on_ring(search, length, to)) || !continues(search, length, arc, closes))
			continue;
		for (uint32_t s = 0; s < REC_EDGE_SIGHTS; s++) {
			const struct rec_sight *sight = &arc->edge.sights[s];
			if (!sight->thread || !goes_with(search, length, sight))
				continue;
			search->ring[length] = (struct part){ .arc = arc, .sight = sight };
			if (closes && !has_room(search, most))
				continue;
			if (closes) {
				report(search, most, ring_key(search, most));
				return true;
			}
			if (follow(search, start, to, length + 1, most))
				break; /* who else could do it doesn't matter */
		}
	}
	return false;
}

static void find_rings(struct search *search)
{
	uint32_t alive = 0;
	for (uint32_t lock = 1; lock <= search->locks; lock++)
		alive += search->alive[lock];
	for (uint32_t most = 2; most <= MIN_OF(alive, RING_MOST); most++)
		for (uint32_t start = 1; start <= search->locks; start++)
			if (search->alive[start])
				follow(search, start, start, 0, most);
}

/* -- across instances ------------------------------------------------------- */

/* Both directions between two places have the same. */
static uint64_t pair_key(const struct arc *arc)
{
	return hash_mix(arc->from_place) + hash_mix(arc->to_place);
}

static bool pair_before(const void *a, const void *b, void *data)
{
	(void)data;
	uint64_t left = pair_key(a), right = pair_key(b);
	return left != right ? left < right : arc_before(a, b, NULL);
}

static bool is_reverse(const struct arc *one, const struct arc *other)
{
	int64_t there = (int64_t)(one->to_address - one->from_address);
	int64_t back = (int64_t)(other->to_address - other->from_address);
	return !one->is_both_ways && !other->is_both_ways && one->from_place == other->to_place &&
	       one->to_place == other->from_place && one->from_place != one->to_place && there == -back &&
	       there < OBJECT_MOST && there > -OBJECT_MOST && one->edge.held != other->edge.acquired &&
	       keeps_out(one->edge.acquired_mode, other->edge.held_mode) &&
	       keeps_out(other->edge.acquired_mode, one->edge.held_mode);
}

/*
 * Whether both are done with something else held that may keep them apart: a lock that both hold, or
 * one each, made in one place, which may be that of the object.
 */
static bool is_gated_alike(const struct search *search, const struct rec_edge *one,
			   const struct rec_edge *other)
{
	const struct view *view = search->run->snapshot->view;
	if (is_gated(one, other))
		return true;
	for (unsigned i = 0; i < one->guard_count; i++) {
		for (unsigned j = 0; j < other->guard_count; j++) {
			const struct rec_lock *mine = view_lock(view, one->guards[i] >> 1);
			const struct rec_lock *its = view_lock(view, other->guards[j] >> 1);
			if (mine && its && (mine == its || place_of(view, mine) == place_of(view, its)))
				return true;
		}
	}
	return false;
}

static void try_pair(struct search *search, const struct arc *one, const struct arc *other)
{
	if (!is_reverse(one, other) || is_gated_alike(search, &one->edge, &other->edge))
		return;
	for (uint32_t i = 0; i < REC_EDGE_SIGHTS; i++) {
		if (!one->edge.sights[i].thread)
			continue;
		search->ring[0] = (struct part){ .arc = one, .sight = &one->edge.sights[i] };
		for (uint32_t j = 0; j < REC_EDGE_SIGHTS; j++) {
			const struct rec_sight *sight = &other->edge.sights[j];
			if (!sight->thread || !goes_with(search, 1, sight))
				continue;
			search->ring[1] = (struct part){ .arc = other, .sight = sight };
			if (!has_room(search, 2))
				continue;
			report(search, 2, pair_key(one));
			return;
		}
	}
}

/* Whether there is an arc, of any modes and guards, from the one lock to the other. */
static bool has_arc(const struct search *search, uint32_t held, uint32_t acquired)
{
	uint32_t low = search->first[held], high = search->first[held + 1];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (search->arcs[middle].edge.acquired < acquired)
			low = middle + 1;
		else
			high = middle;
	}
	return low < search->first[held + 1] && search->arcs[low].edge.acquired == acquired;
}

/* Changes the order of the arcs, and leaves some out: the last thing that is done with them. */
static void find_pairs(struct search *search)
{
	uint32_t kept = 0, steps = 0;
	for (uint32_t i = 0; i < search->count; i++)
		search->arcs[i].is_both_ways =
		    has_arc(search, search->arcs[i].edge.acquired, search->arcs[i].edge.held);
	for (uint32_t i = 0; i < search->count; i++)
		if (search->arcs[i].from_place && search->arcs[i].to_place)
			memmove((void *)&search->arcs[kept++], (const void *)&search->arcs[i],
				sizeof(*search->arcs));
	search->count = kept;
	sort_items(search->arcs, search->count, sizeof(*search->arcs), pair_before, NULL);
	for (uint32_t i = 0; i < search->count && steps < STEPS_MOST; i++)
		for (uint32_t j = i + 1; j < search->count && steps < STEPS_MOST &&
					 pair_key(&search->arcs[j]) == pair_key(&search->arcs[i]);
		     j++, steps++)
			try_pair(search, &search->arcs[i], &search->arcs[j]);
}

void detect_lock_order(struct detection *run)
{
	const struct view *view = run->snapshot->view;
	struct search search = { .run = run };
	if (!view || !view->tables[REC_EDGES] || !view_used(view, REC_EDGES))
		return;
	if (run->limits->order_news && run->limits->order_news == view->header->order_news)
		return;
	if (!load(&search) || !lineage_load(&search.lineage, view, run->arena)) {
		run->list->incomplete = true;
		return;
	}
	if (prune(&search))
		find_rings(&search);
	find_pairs(&search);
}
