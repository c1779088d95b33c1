#include "reporter/detect/graph.h"

#include <string.h>

#include "base/hash.h"
#include "base/sort.h"

#define NONE UINT32_MAX

/*
 * A reader that waited this long for an rwlock which readers hold, with a writer waiting too, waits
 * behind that writer, whatever is known of the lock's attributes. Much longer than a hand-over takes.
 */
#define QUEUE_EVIDENT_NS NSEC_PER_SEC

/* One hold of an object that makes threads wait. */
struct link {
	uint32_t thread;
	uint32_t next; /* of the same object; NONE: the last */
	bool in_force;
	const struct rec_hold *hold;
};

struct object {
	uint64_t handle;
	uint32_t holders; /* first link; NONE */
	uint32_t waiters; /* first thread; NONE */
	uint32_t writers_waiting;
	uint8_t kind;
	bool used;
	bool exclusive; /* a hold in force is exclusive */
	bool disputed;  /* two hold it that can't both do so, and it is not known which is right */
	bool known;
	uint16_t attributes;
	uint32_t value;
	text_id name;
};

struct node {
	uint32_t first_link;  /* of holds[0] */
	uint32_t object;      /* waited for; NONE */
	uint32_t next_waiter; /* for the same object */
	uint32_t reacquires;  /* the mutex of a condition wait; NONE */
	uint32_t target;      /* of a join, a thread; NONE */
	uint32_t joiners;     /* first thread that joins this one; NONE */
	uint32_t next_joiner;
	uint32_t owner; /* who has what is waited for, where no hold says so: a thread; NONE */
	uint32_t owed;  /* first thread of which this one is the owner; NONE */
	uint32_t next_owed;
	uint32_t seen; /* the last query that met this thread */
};

struct graph {
	const struct snapshot *snapshot;
	struct node *nodes;
	struct link *links;
	struct object *objects; /* open addressing by handle */
	uint32_t object_mask;
	uint32_t query;
	bool objects_looked_up;
};

/* -- objects --------------------------------------------------------------- */

static uint32_t object_find(const struct graph *graph, unsigned kind, uint64_t handle)
{
	for (uint32_t at = (uint32_t)hash_mix(handle);; at++) {
		const struct object *object = &graph->objects[at & graph->object_mask];
		if (!object->used)
			return NONE;
		if (object->handle == handle && object->kind == kind)
			return at & graph->object_mask;
	}
}

static uint32_t object_make(struct graph *graph, unsigned kind, uint64_t handle)
{
	for (uint32_t at = (uint32_t)hash_mix(handle);; at++) {
		struct object *object = &graph->objects[at & graph->object_mask];
		if (!object->used)
			*object = (struct object){ .handle = handle,
						   .holders = NONE,
						   .waiters = NONE,
						   .kind = (uint8_t)kind,
						   .used = true };
		if (object->handle == handle && object->kind == kind)
			return at & graph->object_mask;
	}
}

/*
 * Takes over what the recording knows of our objects. Once a graph at the most, and only where it
 * is asked for: the recording may know half a million, and most looks need none of them.
 */
static void objects_look_up(struct graph *graph)
{
	const struct view *view = graph->snapshot->view;
	const struct rec_object *from;
	if (graph->objects_looked_up || !view)
		return;
	graph->objects_looked_up = true;
	for (uint32_t i = 0; (from = view_object(view, i)); i++) {
		if (!from->state)
			continue;
		for (uint32_t at = (uint32_t)hash_mix(from->address);; at++) {
			struct object *object = &graph->objects[at & graph->object_mask];
			if (!object->used)
				break;
			if (object->handle != from->address)
				continue;
			/* One without a kind was named before anything else was known of it. */
			if (from->kind == KIND_NONE || from->kind == object->kind)
				object->name = from->name ? from->name : object->name;
			if (from->kind != object->kind)
				continue;
			object->known = true;
			object->attributes = from->attributes;
			object->value = from->value;
		}
	}
}

text_id graph_object_name(struct graph *graph, unsigned kind, uint64_t handle)
{
	uint32_t at = object_find(graph, kind, handle);
	if (at == NONE)
		return 0;
	objects_look_up(graph);
	return graph->objects[at].name;
}

/* -- making it ------------------------------------------------------------- */

static const struct snap_thread *thread_at(const struct graph *graph, uint32_t thread)
{
	return &graph->snapshot->threads[thread];
}

static const struct link *link_of(const struct graph *graph, uint32_t thread, const struct rec_hold *hold)
{
	return &graph->links[graph->nodes[thread].first_link + (hold - thread_at(graph, thread)->holds)];
}

static bool is_waiting(const struct snap_thread *thread)
{
	return thread->waiting && !thread->torn && thread->state == THREAD_RUNNING;
}

static bool is_live(const struct rec_hold *hold)
{
	return hold->state == HOLD_LIVE;
}

static bool is_exclusive(unsigned mode)
{
	return mode != MODE_SHARED;
}

static void add_holds(struct graph *graph, uint32_t thread, uint32_t first_link)
{
	const struct snap_thread *from = thread_at(graph, thread);
	graph->nodes[thread].first_link = first_link;
	for (uint32_t i = 0; i < from->hold_count; i++) {
		const struct rec_hold *hold = &from->holds[i];
		struct link *link = &graph->links[first_link + i];
		*link = (struct link){ .thread = thread, .next = NONE, .hold = hold };
		if (from->torn || !is_live(hold))
			continue;
		link->in_force = true;
		if (!kind_has(hold->kind, KIND_IS_BLOCKS))
			continue;
		struct object *object = &graph->objects[object_make(graph, hold->kind, hold->handle)];
		link->next = object->holders;
		object->holders = first_link + i;
	}
}

/* The mutex that a condition wait gave up: the thread's own parked hold of it says of which kind it is. */
static uint32_t parked_object(const struct graph *graph, const struct snap_thread *thread)
{
	for (uint32_t i = thread->hold_count; thread->wait.handle2 && i-- > 0;) {
		const struct rec_hold *hold = &thread->holds[i];
		if (hold->state == HOLD_PARKED && hold->handle == thread->wait.handle2)
			return object_find(graph, hold->kind, hold->handle);
	}
	return NONE;
}

static void add_wait(struct graph *graph, uint32_t thread)
{
	struct node *node = &graph->nodes[thread];
	const struct snap_thread *from = thread_at(graph, thread);
	if (!is_waiting(from) || from->wait_unclear)
		return;
	const struct snap_thread *owner = snapshot_thread(graph->snapshot, from->wait_owner);
	if (owner) {
		node->owner = (uint32_t)(owner - graph->snapshot->threads);
		node->next_owed = graph->nodes[node->owner].owed;
		graph->nodes[node->owner].owed = thread;
	}
	node->reacquires = parked_object(graph, from);
	const struct snap_thread *target = snapshot_thread(graph->snapshot, from->wait.target);
	if (target) {
		node->target = (uint32_t)(target - graph->snapshot->threads);
		node->next_joiner = graph->nodes[node->target].joiners;
		graph->nodes[node->target].joiners = thread;
	} else if (kind_has(from->wait.kind, KIND_IS_BLOCKS)) {
		node->object = object_make(graph, from->wait.kind, from->wait.handle);
		struct object *object = &graph->objects[node->object];
		node->next_waiter = object->waiters;
		object->waiters = thread;
		object->writers_waiting += is_exclusive(from->wait.mode);
	}
}

/*
 * One exclusive hold of an object rules out every other. Where two are recorded, the older one was
 * released without our seeing it, or was copied before its release and the newer one after it.
 */
static void settle_holders(struct graph *graph, struct object *object)
{
	const struct link *newest[2] = { NULL, NULL }; /* shared, exclusive */
	bool rivals = false;
	for (uint32_t at = object->holders; at != NONE; at = graph->links[at].next) {
		const struct link *link = &graph->links[at];
		const struct link **slot = &newest[is_exclusive(link->hold->mode)];
		if (*slot && slot == &newest[1] && (*slot)->hold->since == link->hold->since)
			rivals = true;
		if (!*slot || link->hold->since > (*slot)->hold->since) {
			rivals = rivals && slot != &newest[1];
			*slot = link;
		}
	}
	if (!newest[1])
		return;
	nsec_t shared = newest[0] ? newest[0]->hold->since : 0;
	nsec_t exclusive = newest[1]->hold->since;
	/* Times may be unknown (0): a hold without a rival is in force all the same. */
	bool wins = !newest[0] || exclusive > shared;
	object->disputed = rivals ? exclusive >= shared : newest[0] && exclusive == shared;
	object->exclusive = object->disputed || wins;
	if (object->disputed)
		return;
	for (uint32_t *at = &object->holders; *at != NONE;) {
		struct link *link = &graph->links[*at];
		link->in_force = wins ? link == newest[1] : !is_exclusive(link->hold->mode);
		if (link->in_force)
			at = &link->next;
		else
			*at = link->next;
	}
}

struct graph *graph_make(const struct snapshot *snapshot, struct arena *arena)
{
	struct graph *graph = arena_alloc(arena, sizeof(*graph));
	uint64_t holds = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		holds += snapshot->threads[i].hold_count;
	/* At most half full, so that a search ends soon: a hold or a wait makes one object at the most. */
	uint64_t places = 16;
	while (places < 2 * (holds + snapshot->thread_count))
		places *= 2;
	if (!graph || places > NONE)
		return NULL;
	graph->snapshot = snapshot;
	graph->nodes = arena_array(arena, snapshot->thread_count, sizeof(*graph->nodes));
	graph->links = arena_array(arena, holds, sizeof(*graph->links));
	graph->objects = arena_array(arena, places, sizeof(*graph->objects));
	graph->object_mask = (uint32_t)places - 1;
	if (!graph->nodes || !graph->links || !graph->objects)
		return NULL;

	uint32_t first_link = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct node *node = &graph->nodes[i];
		node->object = node->next_waiter = node->reacquires = NONE;
		node->target = node->joiners = node->next_joiner = NONE;
		node->owner = node->owed = node->next_owed = NONE;
		add_holds(graph, i, first_link);
		first_link += snapshot->threads[i].hold_count;
	}
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		add_wait(graph, i);
	for (uint32_t i = 0; i <= graph->object_mask; i++)
		if (graph->objects[i].used)
			settle_holders(graph, &graph->objects[i]);
	return graph;
}

/* -- edges ----------------------------------------------------------------- */

/* Whether `hold` keeps a thread that wants its object in `mode` from getting it. */
static bool hold_blocks(const struct rec_hold *hold, unsigned mode)
{
	return is_exclusive(hold->mode) || is_exclusive(mode);
}

/*
 * Whether a thread that holds `hold` and waits for the same object can't get it. A recursive mutex
 * lets it in and an error-checking one answers EDEADLK, so those waits are over in a moment.
 */
static bool hold_blocks_itself(struct graph *graph, const struct object *object, const struct rec_hold *hold)
{
	if (hold->count > 1)
		return false;
	objects_look_up(graph);
	return !(object->attributes & (OBJECT_RECURSIVE | OBJECT_ERRORCHECK));
}

/*
 * A semaphore that starts at 1, that nobody has posted without having taken it, and that its
 * taker has taken once and does not wait for again, is taken for a lock; of any other use (items, free
 * places, events) nobody knows who will post it.
 */
static bool is_like_a_lock(struct graph *graph, const struct object *object, const struct link *link)
{
	uint32_t waits_for = graph->nodes[link->thread].object;
	objects_look_up(graph);
	return object->known && object->value == 1 && !(object->attributes & OBJECT_POSTED_BY_OTHER) &&
	       link->hold->count == 1 && (waits_for == NONE || &graph->objects[waits_for] != object);
}

/*
 * Whether that is more than a guess: it has been used as a lock before, or the whole process is asleep and
 * nobody is left to use it in another way. No other process can get at it.
 */
static bool is_surely_a_lock(const struct graph *graph, const struct object *object)
{
	const struct snapshot *snapshot = graph->snapshot;
	bool forked = snapshot->view && snapshot->view->header->fork_parent;
	return !(object->attributes & OBJECT_SHARED) &&
	       ((object->attributes & OBJECT_POSTED_BY_TAKER) || (snapshot->asleep_since && !forked));
}

/* The edge from a waiting thread to the one that holds what it waits for. Return: false: there is none. */
static bool edge_to_holder(const struct graph *graph, uint32_t from, const struct object *object,
			   const struct link *link, struct edge *ret_edge)
{
	const struct rec_wait *wait = &thread_at(graph, from)->wait;
	const struct rec_hold *hold = link->hold;
	/* Looking an object up changes nothing but what is known of it. */
	struct graph *mutable = (struct graph *)graph;
	enum edge_type type = object->kind == KIND_SEM ? EDGE_SEMAPHORE : EDGE_LOCK;
	if (type != EDGE_SEMAPHORE && !hold_blocks(hold, wait->mode))
		return false;
	if (type == EDGE_SEMAPHORE && !is_like_a_lock(mutable, object, link))
		return false;
	if (link->thread == from && !hold_blocks_itself(mutable, object, hold))
		return false;
	*ret_edge = (struct edge){
		.type = type,
		.from = from,
		.to = link->thread,
		.hold = hold,
		.firm = (type == EDGE_LOCK || is_surely_a_lock(graph, object)) && !wait->timed &&
			!object->disputed,
	};
	return true;
}

/*
 * Whether readers may wait behind writers: as long as a writer holds it, all wait for that one. Asked before the waiters are gone
 * through: of a mutex there may be ten thousand, and that would be done for each of them.
 */
static bool has_queue(const struct object *object)
{
	return object->writers_waiting && object->holders != NONE && !object->exclusive;
}

/*
 * The edge from a reader to a writer that waits in front of it. glibc lets readers pass waiting
 * writers, save for PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP.
 */
static bool edge_to_writer(const struct graph *graph, uint32_t from, const struct object *object,
			   uint32_t writer, struct edge *ret_edge)
{
	const struct snapshot *snapshot = graph->snapshot;
	const struct rec_wait *wait = &thread_at(graph, from)->wait;
	const struct rec_wait *first = &thread_at(graph, writer)->wait;
	if (writer == from || is_exclusive(wait->mode) || !is_exclusive(first->mode))
		return false;
	if (!has_queue(object))
		return false;
	objects_look_up((struct graph *)graph);
	bool evident = snapshot->now > wait->since && snapshot->now - wait->since >= QUEUE_EVIDENT_NS;
	if (!(object->attributes & OBJECT_PREFER_WRITER) && !thread_at(graph, from)->wait_behind && !evident)
		return false;
	*ret_edge = (struct edge){ .type = EDGE_QUEUE, .from = from, .to = writer, .firm = !wait->timed };
	return true;
}

/*
 * The edge to a holder that was not seen taking it: before the shim was there, or inside of libc. A
 * hold that was seen says more, so this is for where there is none.
 */
static bool edge_to_owner(const struct graph *graph, uint32_t from, struct edge *ret_edge)
{
	const struct node *node = &graph->nodes[from];
	const struct snap_thread *owner = node->owner != NONE ? thread_at(graph, node->owner) : NULL;
	const struct object *object =
	    node->object != NONE && graph->objects ? &graph->objects[node->object] : NULL;
	if (!owner || owner->torn || (object && object->holders != NONE))
		return false;
	*ret_edge = (struct edge){ .type = EDGE_OWNER,
				   .from = from,
				   .to = node->owner,
				   .firm = !thread_at(graph, from)->wait.timed };
	return true;
}

struct edge_walk graph_blockers(uint32_t thread)
{
	return (struct edge_walk){ .thread = thread, .at = NONE };
}

enum {
	PHASE_START,
	PHASE_HOLDERS,
	PHASE_WRITERS_START,
	PHASE_WRITERS,
	PHASE_MUTEX_START,
	PHASE_MUTEX,
	PHASE_END
};

static bool next_holder(const struct graph *graph, struct edge_walk *walk, const struct object *object,
			struct edge *ret_edge)
{
	while (walk->at != NONE) {
		const struct link *link = &graph->links[walk->at];
		walk->at = link->next;
		if (edge_to_holder(graph, walk->thread, object, link, ret_edge))
			return true;
	}
	return false;
}

static bool next_writer(const struct graph *graph, struct edge_walk *walk, const struct object *object,
			struct edge *ret_edge)
{
	while (walk->at != NONE) {
		uint32_t writer = walk->at;
		walk->at = graph->nodes[writer].next_waiter;
		if (edge_to_writer(graph, walk->thread, object, writer, ret_edge))
			return true;
	}
	return false;
}

/* Also of a timed condition wait: it gives up waiting for the signal, never for the mutex. */
static bool next_mutex_holder(const struct graph *graph, struct edge_walk *walk, const struct object *object,
			      struct edge *ret_edge)
{
	while (walk->at != NONE) {
		const struct link *link = &graph->links[walk->at];
		walk->at = link->next;
		if (link->thread == walk->thread)
			continue;
		*ret_edge = (struct edge){
			.type = EDGE_REACQUIRE,
			.from = walk->thread,
			.to = link->thread,
			.hold = link->hold,
			.firm = !object->disputed,
		};
		return true;
	}
	return false;
}

static bool join_edge(const struct graph *graph, uint32_t from, uint32_t to, struct edge *ret_edge)
{
	const struct snap_thread *target = thread_at(graph, to);
	if (target->torn || target->state == THREAD_ENDED)
		return false;
	*ret_edge = (struct edge){
		.type = EDGE_JOIN, .from = from, .to = to, .firm = !thread_at(graph, from)->wait.timed
	};
	return true;
}

bool graph_next(const struct graph *graph, struct edge_walk *walk, struct edge *ret_edge)
{
	const struct node *node = &graph->nodes[walk->thread];
	const struct object *object = node->object != NONE ? &graph->objects[node->object] : NULL;
	const struct object *mutex = node->reacquires != NONE ? &graph->objects[node->reacquires] : NULL;
	for (;;) {
		switch (walk->phase) {
		case PHASE_START:
			walk->phase = PHASE_HOLDERS;
			walk->at = object ? object->holders : NONE;
			if (node->target != NONE && join_edge(graph, walk->thread, node->target, ret_edge))
				return true;
			if (edge_to_owner(graph, walk->thread, ret_edge))
				return true;
			break;
		case PHASE_HOLDERS:
			if (object && next_holder(graph, walk, object, ret_edge))
				return true;
			walk->phase = PHASE_WRITERS_START;
			break;
		case PHASE_WRITERS_START:
			walk->phase = PHASE_WRITERS;
			walk->at = object && has_queue(object) &&
					   !is_exclusive(thread_at(graph, walk->thread)->wait.mode)
				       ? object->waiters
				       : NONE;
			break;
		case PHASE_WRITERS:
			if (object && next_writer(graph, walk, object, ret_edge))
				return true;
			walk->phase = PHASE_MUTEX_START;
			break;
		case PHASE_MUTEX_START:
			walk->phase = PHASE_MUTEX;
			walk->at = mutex ? mutex->holders : NONE;
			break;
		case PHASE_MUTEX:
			if (mutex && next_mutex_holder(graph, walk, mutex, ret_edge))
				return true;
			walk->phase = PHASE_END;
			break;
		default:
			return false;
		}
	}
}

/* -- waiters --------------------------------------------------------------- */

struct search {
	struct graph *graph;
	struct waiter *found;
	uint32_t count;
	bool direct;
};

static void search_add(struct search *search, uint32_t thread, uint32_t blocker, const struct rec_hold *hold)
{
	struct node *node = &search->graph->nodes[thread];
	if (node->seen == search->graph->query)
		return;
	node->seen = search->graph->query;
	search->found[search->count++] =
	    (struct waiter){ .thread = thread, .blocker = blocker, .hold = hold, .direct = search->direct };
}

/* The thread after `previous` (NONE: the first) that waits for `hold` of `thread`; NONE: no more. */
static uint32_t next_wanting(const struct graph *graph, uint32_t thread, const struct rec_hold *hold,
			     uint32_t previous)
{
	const struct link *link = link_of(graph, thread, hold);
	uint32_t at =
	    kind_has(hold->kind, KIND_IS_BLOCKS) ? object_find(graph, hold->kind, hold->handle) : NONE;
	struct edge edge;
	if (at == NONE || !link->in_force)
		return NONE;
	const struct object *object = &graph->objects[at];
	uint32_t waiter = previous == NONE ? object->waiters : graph->nodes[previous].next_waiter;
	while (waiter != NONE && (waiter == thread || !edge_to_holder(graph, waiter, object, link, &edge)))
		waiter = graph->nodes[waiter].next_waiter;
	return waiter;
}

static void search_hold(struct search *search, uint32_t thread, const struct rec_hold *hold)
{
	uint32_t waiter = NONE;
	while ((waiter = next_wanting(search->graph, thread, hold, waiter)) != NONE)
		search_add(search, waiter, thread, hold);
}

static void search_thread(struct search *search, uint32_t thread)
{
	const struct graph *graph = search->graph;
	const struct snap_thread *holder = thread_at(graph, thread);
	struct edge edge;
	for (uint32_t i = 0; i < holder->hold_count; i++)
		search_hold(search, thread, &holder->holds[i]);
	for (uint32_t waiter = graph->nodes[thread].joiners; waiter != NONE;
	     waiter = graph->nodes[waiter].next_joiner)
		if (waiter != thread && join_edge(graph, waiter, thread, &edge))
			search_add(search, waiter, thread, NULL);
	for (uint32_t waiter = graph->nodes[thread].owed; waiter != NONE;
	     waiter = graph->nodes[waiter].next_owed)
		if (waiter != thread && edge_to_owner(graph, waiter, &edge))
			search_add(search, waiter, thread, NULL);
	uint32_t waits_for = graph->nodes[thread].object;
	const struct object *object = waits_for != NONE ? &graph->objects[waits_for] : NULL;
	if (!object || !has_queue(object) || !is_exclusive(holder->wait.mode))
		return;
	for (uint32_t reader = object->waiters; reader != NONE; reader = graph->nodes[reader].next_waiter)
		if (edge_to_writer(graph, reader, object, thread, &edge))
			search_add(search, reader, thread, NULL);
}

static bool waiter_before(const void *a, const void *b, void *data)
{
	const struct snapshot *snapshot = data;
	const struct waiter *left = a, *right = b;
	nsec_t left_since = snapshot->threads[left->thread].wait.since;
	nsec_t right_since = snapshot->threads[right->thread].wait.since;
	if (left->direct != right->direct)
		return left->direct;
	return left_since != right_since ? left_since < right_since : left->thread < right->thread;
}

uint32_t graph_waiters(struct graph *graph, uint32_t thread, const struct rec_hold *hold, struct arena *arena,
		       struct waiter **ret_waiters)
{
	struct search search = { .graph = graph, .direct = true };
	search.found = arena_array(arena, graph->snapshot->thread_count, sizeof(*search.found));
	*ret_waiters = search.found;
	if (!search.found)
		return 0;
	graph->query++;
	graph->nodes[thread].seen = graph->query;
	if (hold)
		search_hold(&search, thread, hold);
	else
		search_thread(&search, thread);
	search.direct = false;
	for (uint32_t i = 0; i < search.count; i++)
		search_thread(&search, search.found[i].thread);
	sort_items(search.found, search.count, sizeof(*search.found), waiter_before, (void *)graph->snapshot);
	return search.count;
}

bool graph_holds(const struct graph *graph, uint32_t thread, const struct rec_hold *hold)
{
	return link_of(graph, thread, hold)->in_force;
}

bool graph_is_wanted(const struct graph *graph, uint32_t thread, const struct rec_hold *hold)
{
	return next_wanting(graph, thread, hold, NONE) != NONE;
}
