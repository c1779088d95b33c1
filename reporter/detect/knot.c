#include "reporter/detect/knot.h"

#include "base/sort.h"

#define NONE UINT32_MAX

/* Which threads and edges take part. */
struct part {
	const struct graph *graph;
	uint32_t thread_count;
	bool all_edges;
	const uint32_t *rank; /* by thread; only those with a rank below `ranks` take part; NULL: all */
	uint32_t ranks;
};

static bool takes_part(const struct part *part, uint32_t thread)
{
	return !part->rank || part->rank[thread] < part->ranks;
}

static bool next_edge(const struct part *part, struct edge_walk *walk, struct edge *ret_edge)
{
	while (graph_next(part->graph, walk, ret_edge)) {
		bool counts = ret_edge->firm || (part->all_edges && ret_edge->type != EDGE_SEMAPHORE);
		if (counts && takes_part(part, ret_edge->to))
			return true;
	}
	return false;
}

/* -- Tarjan's algorithm, with a stack of its own: chains can be as long as there are threads ------ */

struct visit {
	uint32_t number; /* in the order of visits, from 1; 0: not visited */
	uint32_t low;    /* the lowest number that can be reached back to */
	bool pending;    /* on the stack of threads whose knot is not known yet */
	bool itself;     /* waits for itself */
};

struct tarjan {
	const struct part *part;
	struct visit *visits;
	struct edge_walk *path;
	uint32_t *pending;
	uint32_t path_length, pending_count, number;
	struct knots *knots;
};

static void enter(struct tarjan *tarjan, uint32_t thread)
{
	struct visit *visit = &tarjan->visits[thread];
	visit->number = visit->low = ++tarjan->number;
	visit->pending = true;
	tarjan->pending[tarjan->pending_count++] = thread;
	tarjan->path[tarjan->path_length++] = graph_blockers(thread);
}

/* All edges of `thread` have been followed: where it can't get back further, it closes a knot. */
static void leave(struct tarjan *tarjan, uint32_t thread)
{
	const struct visit *visit = &tarjan->visits[thread];
	tarjan->path_length--;
	if (tarjan->path_length) {
		struct visit *before = &tarjan->visits[tarjan->path[tarjan->path_length - 1].thread];
		before->low = MIN_OF(before->low, visit->low);
	}
	if (visit->low != visit->number)
		return;
	bool knot = visit->itself || tarjan->pending[tarjan->pending_count - 1] != thread;
	if (knot)
		tarjan->knots->count++;
	uint32_t member;
	do {
		member = tarjan->pending[--tarjan->pending_count];
		tarjan->visits[member].pending = false;
		tarjan->knots->of[member] = knot ? tarjan->knots->count : 0;
	} while (member != thread);
}

static void explore(struct tarjan *tarjan, uint32_t start)
{
	struct edge edge;
	enter(tarjan, start);
	while (tarjan->path_length) {
		struct edge_walk *walk = &tarjan->path[tarjan->path_length - 1];
		if (!next_edge(tarjan->part, walk, &edge)) {
			leave(tarjan, walk->thread);
			continue;
		}
		struct visit *from = &tarjan->visits[edge.from];
		const struct visit *to = &tarjan->visits[edge.to];
		if (edge.to == edge.from)
			from->itself = true;
		else if (!to->number)
			enter(tarjan, edge.to);
		else if (to->pending)
			from->low = MIN_OF(from->low, to->number);
	}
}

static bool part_knots(const struct part *part, struct arena *arena, struct knots *ret_knots)
{
	uint32_t count = part->thread_count;
	struct tarjan tarjan = {
		.part = part,
		.visits = arena_array(arena, count, sizeof(*tarjan.visits)),
		.path = arena_array(arena, count, sizeof(*tarjan.path)),
		.pending = arena_array(arena, count, sizeof(*tarjan.pending)),
		.knots = ret_knots,
	};
	*ret_knots = (struct knots){ .of = arena_array(arena, count, sizeof(*ret_knots->of)) };
	if (!tarjan.visits || !tarjan.path || !tarjan.pending || !ret_knots->of)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (takes_part(part, i) && !tarjan.visits[i].number)
			explore(&tarjan, i);
	return true;
}

bool knots_find(const struct graph *graph, const struct snapshot *snapshot, bool all_edges,
		struct arena *arena, struct knots *ret_knots)
{
	struct part part = { .graph = graph, .thread_count = snapshot->thread_count, .all_edges = all_edges };
	return part_knots(&part, arena, ret_knots);
}

/* -- the cycle that closed first ------------------------------------------- */

static bool waits_before(const void *a, const void *b, void *data)
{
	const struct snapshot *snapshot = data;
	const struct snap_thread *left = &snapshot->threads[*(const uint32_t *)a];
	const struct snap_thread *right = &snapshot->threads[*(const uint32_t *)b];
	if (left->wait.since != right->wait.since)
		return left->wait.since < right->wait.since;
	return left->id < right->id;
}

/* The shortest way from `start` back to itself, breadth first. Return: its length; 0: no memory. */
static uint32_t shortest_cycle(const struct part *part, uint32_t start, struct arena *arena,
			       struct edge **ret_edges)
{
	struct edge *reached_by = arena_array(arena, part->thread_count, sizeof(*reached_by));
	bool *reached = arena_array(arena, part->thread_count, sizeof(*reached));
	uint32_t *queue = arena_array(arena, part->thread_count, sizeof(*queue));
	struct edge last = { .from = NONE };
	if (!reached_by || !reached || !queue)
		return 0;
	uint32_t count = 0;
	queue[count++] = start;
	for (uint32_t i = 0; i < count && last.from == NONE; i++) {
		struct edge_walk walk = graph_blockers(queue[i]);
		struct edge edge;
		while (last.from == NONE && next_edge(part, &walk, &edge)) {
			if (edge.to == start) {
				last = edge;
			} else if (!reached[edge.to]) {
				reached[edge.to] = true;
				reached_by[edge.to] = edge;
				queue[count++] = edge.to;
			}
		}
	}
	if (last.from == NONE)
		return 0;
	uint32_t length = 1;
	for (uint32_t at = last.from; at != start; at = reached_by[at].from)
		length++;
	*ret_edges = arena_array(arena, length, sizeof(**ret_edges));
	if (!*ret_edges)
		return 0;
	uint32_t place = length;
	(*ret_edges)[--place] = last;
	for (uint32_t at = last.from; at != start; at = reached_by[at].from)
		(*ret_edges)[--place] = reached_by[at];
	return length;
}

uint32_t knot_first_cycle(const struct graph *graph, const struct snapshot *snapshot,
			  const struct knots *knots, uint32_t knot, struct arena *arena,
			  struct edge **ret_edges)
{
	uint32_t *members = arena_array(arena, snapshot->thread_count, sizeof(*members));
	uint32_t *rank = arena_array(arena, snapshot->thread_count, sizeof(*rank));
	uint32_t count = 0;
	if (!members || !rank)
		return 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		rank[i] = NONE;
		if (knots->of[i] == knot)
			members[count++] = i;
	}
	sort_items(members, count, sizeof(*members), waits_before, (void *)snapshot);
	for (uint32_t i = 0; i < count; i++)
		rank[members[i]] = i;

	/* The fewest first waiters among whom there is a cycle; the newest of them closed it. */
	struct part part = { .graph = graph, .thread_count = snapshot->thread_count, .rank = rank };
	uint32_t low = 1, high = count;
	while (low < high) {
		struct knots some;
		part.ranks = low + (high - low) / 2;
		if (!part_knots(&part, arena, &some))
			return 0;
		if (some.count)
			high = part.ranks;
		else
			low = part.ranks + 1;
	}
	part.ranks = low;
	return shortest_cycle(&part, members[low - 1], arena, ret_edges);
}
