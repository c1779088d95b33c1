#include "reporter/detect/detect.h"

#include <string.h>

#include "base/sort.h"
#include "reporter/detect/detection.h"

#define LIVE 1u
#define END 2u
#define ONCE 4u
#define MAKES(kind) (UINT64_C(1) << FINDING_##kind)

static const struct detector {
	void (*run)(struct detection *run);
	unsigned when, looks;
	uint64_t kinds;
} detectors[] = {
#define DETECTOR(name, when_, looks_, kinds_) \
	{ .run = detect_##name, .when = (when_), .looks = (looks_), .kinds = (kinds_) },
#include "reporter/detect/detectors.def"
};

_Static_assert(FINDING_COUNT <= 64, "the kinds of a detector are a set in 64 bits");

unsigned detect_looks(unsigned kind)
{
	unsigned looks = 1;
	for (size_t i = 0; i < COUNT_OF(detectors); i++)
		if (kind < FINDING_COUNT && detectors[i].kinds >> kind & 1)
			looks = MAX_OF(looks, detectors[i].looks);
	return looks;
}

/* What hooks catch becomes one of these. */
static bool is_misuse(unsigned kind)
{
	static const uint8_t kinds[] = {
#define MISUSE(id, finding, ...) FINDING_##finding,
#include "registry/misuses.def"
	};
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

bool detect_is_event(unsigned kind)
{
	if (is_misuse(kind))
		return true;
	for (size_t i = 0; i < COUNT_OF(detectors); i++)
		if (kind < FINDING_COUNT && detectors[i].kinds >> kind & 1)
			return detectors[i].when & ONCE;
	return false;
}

void limits_from_options(struct limits *limits, const struct options *from)
{
	*limits = (struct limits){
		.blocked = from->blocked,
		.held = from->held,
		.iterating = from->iterating,
		.idle_blocked = from->idle_blocked,
		.heap_growth_rate = from->heap_growth_rate,
		.heap_growth_for = from->heap_growth_for,
		.thread_growth_percent = from->thread_growth_percent,
		.thread_growth_in = from->thread_growth_in,
		.iteration_slow = from->iteration_slow,
		.growth = from->growth,
		.rss_growth_rate = from->rss_growth_rate,
		.rss_growth_for = from->rss_growth_for,
		.fragmentation_percent = from->fragmentation_percent,
		.fragmentation_in = from->fragmentation_in,
		.mappings = from->mappings,
	};
}

void limits_from_recording(struct limits *limits, const struct view *view)
{
	*limits = (struct limits){
		.blocked = view->header->limits_blocked,
		.held = view->header->limits_held,
		.iterating = view->header->limits_iterating,
		.idle_blocked = view->header->limits_idle,
	};
}

nsec_t limits_point_every(const struct limits *limits)
{
	const nsec_t judged[] = { limits->heap_growth_for, limits->rss_growth_for, limits->thread_growth_in,
				  limits->fragmentation_in };
	nsec_t every = NSEC_PER_SEC;
	for (size_t i = 0; i < COUNT_OF(judged); i++)
		if (judged[i])
			every = MIN_OF(every, judged[i] / 4 + 1);
	return every;
}

/* -- one run --------------------------------------------------------------- */

static bool index_iterators(struct detection *run)
{
	const struct snapshot *snapshot = run->snapshot;
	run->first_iterator = arena_array(run->arena, snapshot->thread_count, sizeof(*run->first_iterator));
	run->next_iterator = arena_array(run->arena, snapshot->resource_count, sizeof(*run->next_iterator));
	if (!run->first_iterator || !run->next_iterator)
		return false;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		run->first_iterator[i] = NO_INDEX;
	/* Backwards, so that each thread's list comes out in the table's order. */
	for (uint32_t i = snapshot->resource_count; i-- > 0;) {
		const struct rec_hold *hold = &snapshot->resources[i];
		const struct snap_thread *owner = snapshot_thread(snapshot, hold->owner);
		run->next_iterator[i] = NO_INDEX;
		if (!owner || !kind_has(hold->kind, KIND_IS_ITERATES))
			continue;
		run->next_iterator[i] = run->first_iterator[owner - snapshot->threads];
		run->first_iterator[owner - snapshot->threads] = i;
	}
	return true;
}

static bool run_begin(struct detection *run)
{
	run->arena = run->list->arena;
	run->graph = graph_make(run->snapshot, run->arena);
	run->marks = arena_array(run->arena, run->snapshot->thread_count, sizeof(*run->marks));
	return run->graph && run->marks && index_iterators(run) &&
	       knots_find(run->graph, run->snapshot, true, run->arena, &run->timed);
}

static bool finding_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct finding *left = *(struct finding *const *)a;
	const struct finding *right = *(struct finding *const *)b;
	if (left->severity != right->severity)
		return left->severity > right->severity;
	/* What has no beginning comes behind what has one. */
	if (left->since != right->since)
		return left->since && (!right->since || left->since < right->since);
	return left->key < right->key;
}

/* Over a dead process, both runs tell of a lock that an ended thread left. Duplicates lie side by side. */
static void drop_duplicates(struct finding_list *list)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < list->count; i++)
		if (!kept || list->found[i]->kind != list->found[kept - 1]->kind ||
		    list->found[i]->key != list->found[kept - 1]->key)
			list->found[kept++] = list->found[i];
	list->count = kept;
}

static void detect(const struct snapshot *snapshot, const struct limits *limits, struct finding_list *list,
		   unsigned when)
{
	struct detection run = {
		.snapshot = snapshot, .limits = limits, .list = list, .at_end = when == END
	};
	if (!run_begin(&run)) {
		list->incomplete = true;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(detectors); i++)
		if (detectors[i].when & when)
			detectors[i].run(&run);
	sort_items(list->found, list->count, sizeof(*list->found), finding_before, NULL);
	drop_duplicates(list);
}

void detect_live(const struct snapshot *snapshot, const struct limits *limits, struct finding_list *list)
{
	detect(snapshot, limits, list, LIVE);
}

void detect_end(const struct snapshot *snapshot, const struct limits *limits, struct finding_list *list)
{
	detect(snapshot, limits, list, END);
}

/* -- what detectors ask ---------------------------------------------------- */

bool detection_ended_orderly(const struct detection *run)
{
	const struct view *view = run->snapshot->view;
	unsigned state = view ? view->header->state : REC_EXITED;
	/* In the target itself it may not say yet that it exited; from outside it would, had it done so. */
	return state == REC_EXITED || (state == REC_RUNNING && view->live);
}

bool detection_holds_something(const struct detection *run, uint32_t thread)
{
	const struct snap_thread *holder = &run->snapshot->threads[thread];
	if (run->first_iterator[thread] != NO_INDEX)
		return true;
	for (uint32_t i = 0; i < holder->hold_count; i++)
		if (kind_has(holder->holds[i].kind, KIND_IS_OWNED) &&
		    graph_holds(run->graph, thread, &holder->holds[i]))
			return true;
	return false;
}

bool detection_next_cause(const struct detection *run, struct edge_walk *walk, struct edge *ret_edge)
{
	while (graph_next(run->graph, walk, ret_edge)) {
		if (ret_edge->type == EDGE_REACQUIRE || ret_edge->to == ret_edge->from)
			continue;
		const struct snap_thread *waiter = &run->snapshot->threads[ret_edge->from];
		uint32_t ring = run->timed.of[ret_edge->from];
		if (waiter->wait.timed && ring && ring == run->timed.of[ret_edge->to])
			continue;
		return true;
	}
	return false;
}

bool detection_is_nested_monitor(const struct detection *run, uint32_t thread)
{
	const struct snap_thread *waiter = &run->snapshot->threads[thread];
	unsigned kind = waiter->wait.kind;
	if (!detection_waits(waiter) || (kind != KIND_COND && kind != KIND_SEM && kind != KIND_BARRIER))
		return false;
	for (uint32_t i = 0; i < waiter->hold_count; i++)
		if (kind_has(waiter->holds[i].kind, KIND_IS_OWNED) &&
		    graph_is_wanted(run->graph, thread, &waiter->holds[i]))
			return true;
	return false;
}

uint64_t detection_key(enum finding_kind kind)
{
	return hash_mix((uint64_t)kind + 1);
}

/* -- items ----------------------------------------------------------------- */

struct finding_item *detection_add_wait(struct detection *run, struct finding *finding, enum role role,
					uint32_t room, uint32_t thread, const struct edge *edge)
{
	const struct snap_thread *waiter = &run->snapshot->threads[thread];
	struct finding_item *item = finding_add(finding, role, room);
	if (!item)
		return NULL;
	finding_item_thread(item, waiter);
	finding_item_wait(item, &waiter->wait);
	item->pid = waiter->wait_pid;
	if (edge)
		item->other = run->snapshot->threads[edge->to].id;
	/* What it has to get is the mutex, not the condition variable that it was given up for. */
	if (edge && edge->type == EDGE_REACQUIRE) {
		item->object_kind = edge->hold->kind;
		item->handle = edge->hold->handle;
		item->mode = edge->hold->mode;
	}
	item->name = graph_object_name(run->graph, item->object_kind, item->handle);
	return item;
}

struct finding_item *detection_add_hold(struct detection *run, struct finding *finding, enum role role,
					uint32_t room, const struct snap_thread *thread,
					const struct rec_hold *hold)
{
	struct finding_item *item = finding_add(finding, role, room);
	if (!item)
		return NULL;
	if (thread)
		finding_item_thread(item, thread);
	else
		item->thread = hold->owner;
	finding_item_hold(item, hold);
	if (!item->name)
		item->name = graph_object_name(run->graph, item->object_kind, item->handle);
	return item;
}

struct finding_item *detection_add_now(struct detection *run, struct finding *finding, uint32_t room,
				       uint32_t thread)
{
	const struct snap_thread *seen = &run->snapshot->threads[thread];
	if (detection_waits(seen))
		return detection_add_wait(run, finding, ROLE_now, room, thread, NULL);
	struct finding_item *item = finding_add(finding, ROLE_now, room);
	if (!item)
		return NULL;
	finding_item_thread(item, seen);
	item->source = STACK_UNKNOWN_RUNNING;
	if (seen->now_stack) {
		item->source = STACK_LOOKED_UP;
		item->stack = seen->now_stack;
		item->since = seen->now_at;
	}
	return item;
}

void detection_add_waiters(struct detection *run, struct finding *finding, uint32_t room,
			   const struct waiter *waiters, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct finding_item *item =
		    detection_add_wait(run, finding, ROLE_waits, room, waiters[i].thread, NULL);
		if (item)
			item->other = run->snapshot->threads[waiters[i].blocker].id;
	}
}
