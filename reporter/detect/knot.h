/*
 * Cycles in the wait graph. A knot is a set of threads each of which waits, through
 * others, for every other of the set and for itself (a strongly connected part of
 * the graph); threads that merely wait for one of them are not in it.
 *
 * Context: reporter.
 */
#ifndef WH_DETECT_KNOT_H
#define WH_DETECT_KNOT_H

#include "reporter/detect/graph.h"

struct knots {
	uint32_t count;
	uint32_t *of; /* by thread: the knot's number from 1; 0: in none */
};

/*
 * The knots of the graph's firm edges, which last for ever, or of `all_edges` (timed waits too,
 * guesses not). Return: false where memory ran out. Cost: linear in threads and edges.
 */
bool knots_find(const struct graph *graph, const struct snapshot *snapshot, bool all_edges,
		struct arena *arena, struct knots *ret_knots);

/*
 * In a knot of firm edges, the cycle that closed first, as short as it can be: edges
 * from thread to thread, the last one back to the first. It does not change when more threads get
 * into the knot later. Return: its length; 0 where memory ran out. The edges are in `arena`.
 */
uint32_t knot_first_cycle(const struct graph *graph, const struct snapshot *snapshot,
			  const struct knots *knots, uint32_t knot, struct arena *arena,
			  struct edge **ret_edges);

#endif
