/*
 * The wait graph of a snapshot: threads and objects. A thread waits for an object;
 * an object is held by threads; so a thread has blockers and waiters:
 *
 *      thread 1 ──waits──▶ mutex A ──held by──▶ thread 2 ──waits──▶ thread 3 (join)
 *      thread 4 ──waits──▶ rwlock B (exclusive) ──held by──▶ thread 5, thread 6 (shared)
 *
 * Each edge says "can go on only after that one has given something back", and a
 * thread needs all of its blockers to do so: a writer needs every reader gone, a
 * join needs its one target, a condition wait needs its mutex back before it
 * returns, whatever wakes it. There is no edge of which one out of several would
 * do, since those who could post a semaphore or signal a condition variable are
 * not known. That is why any cycle of firm edges is a deadlock, however many other
 * holders of its objects are running: those can't help.
 *
 * What is left out: threads that were copied torn, as waiters and as holders;
 * parked holds; holds that a newer exclusive hold of the same object proves stale
 * (their release went a way that the shim does not see).
 *
 * Threads are named by their index in the snapshot. All functions: Context: reporter.
 */
#ifndef WH_DETECT_GRAPH_H
#define WH_DETECT_GRAPH_H

#include "base/arena.h"
#include "registry/snapshot.h"

struct graph;

/* The graph of `snapshot`, which must outlive it, in memory of `arena`; NULL: no memory. */
struct graph *graph_make(const struct snapshot *snapshot, struct arena *arena);

enum edge_type {
	EDGE_LOCK,      /* waits for what `to` holds */
	EDGE_JOIN,      /* waits for the end of `to` */
	EDGE_REACQUIRE, /* in a condition wait, whose mutex `to` holds: signalled or not, it needs it back */
	EDGE_QUEUE,     /* a reader behind the waiting writer `to` */
	EDGE_SEMAPHORE, /* `to` took a semaphore that seems to be used as a lock: a guess, unless it is firm */
	EDGE_OWNER,     /* waits for what `to` holds by libc's own word; where it took it is not known */
};

struct edge {
	enum edge_type type;
	uint32_t from, to;
	const struct rec_hold *hold; /* what `to` holds; NULL for EDGE_JOIN, EDGE_QUEUE and EDGE_OWNER */
	bool firm;                   /* lasts until `to` gives way: not a timed wait, and no guess */
};

/* The blockers of a thread, one after the other. */
struct edge_walk {
	uint32_t thread;
	uint32_t at;
	uint8_t phase;
};

struct edge_walk graph_blockers(uint32_t thread);
bool graph_next(const struct graph *graph, struct edge_walk *walk, struct edge *ret_edge);

/* One who waits for a thread, itself or through others. */
struct waiter {
	uint32_t thread;
	uint32_t blocker;            /* the thread that this one waits for */
	const struct rec_hold *hold; /* what it wants of it; NULL: its end, or its turn */
	bool direct;                 /* waits for the thread asked for itself */
};

/*
 * Everyone who waits for `thread`, for what it holds or for its end, and everyone who waits for
 * those; only for `hold` of it, unless that is NULL. Ordered: direct ones first, then who has
 * waited longest. Return: how many; they are in `arena`.
 */
uint32_t graph_waiters(struct graph *graph, uint32_t thread, const struct rec_hold *hold, struct arena *arena,
		       struct waiter **ret_waiters);

/* Whether that hold of `thread` is in force: live, and not proved stale. */
bool graph_holds(const struct graph *graph, uint32_t thread, const struct rec_hold *hold);

/* Whether another thread waits for what this hold of `thread` keeps it from. */
bool graph_is_wanted(const struct graph *graph, uint32_t thread, const struct rec_hold *hold);

/* What the program calls an object of the graph; 0: nothing. */
text_id graph_object_name(struct graph *graph, unsigned kind, uint64_t handle);

#endif
