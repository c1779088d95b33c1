/*
 * One run of the detectors: what they share, and what they all do with findings.
 * For the files of this folder only.
 *
 * Context: reporter.
 */
#ifndef WH_DETECT_DETECTION_H
#define WH_DETECT_DETECTION_H

#include "base/hash.h"
#include "reporter/detect/detect.h"
#include "reporter/detect/graph.h"
#include "reporter/detect/knot.h"

/* What an earlier detector has found of a thread. */
enum mark {
	MARK_DEADLOCKED = 1, /* in a deadlock, or waits for one who is */
	MARK_ORPHANED = 2,   /* waits for a lock that an ended thread left locked */
	MARK_STUCK = 4,      /* the subject of a stuck-holder */
	MARK_BEHIND = 8,     /* waits for one who is */
};

struct detection {
	const struct snapshot *snapshot;
	const struct limits *limits;
	struct finding_list *list;
	struct arena *arena;
	struct graph *graph;
	struct knots timed;       /* knots that timed waits are part of: they will come undone */
	uint8_t *marks;           /* enum mark, by thread index */
	uint32_t *first_iterator; /* by thread index: an open iterator of it, in snapshot->resources ... */
	uint32_t *next_iterator;  /* ... and by resource, the next of the same thread; NO_INDEX: none */
	bool at_end;              /* detect_end */
};

#define NO_INDEX UINT32_MAX

#define DETECTOR(name, when, looks, kinds) void detect_##name(struct detection *run);
#include "reporter/detect/detectors.def"

/* How long ago; 0 where it is unknown. */
static inline nsec_t detection_age(const struct detection *run, nsec_t since)
{
	return since && since < run->snapshot->now ? run->snapshot->now - since : 0;
}

/* Whether a thread stands still in a wait that the snapshot got whole. */
static inline bool detection_waits(const struct snap_thread *thread)
{
	return thread->waiting && !thread->torn && thread->state == THREAD_RUNNING;
}

/* Whether the process came to its end by itself, rather than being killed or replaced. */
bool detection_ended_orderly(const struct detection *run);

/* Whether the thread has an OWNED hold in force, or an open iterator: what it must give back. */
bool detection_holds_something(const struct detection *run, uint32_t thread);

/*
 * Whether the thread's wait is but the consequence of another thread's: the edge to a thread that
 * it waits for, unless that wait gives up by itself and is part of a ring of such waits. With
 * `ret_edge` the walk can go on. A condition wait's mutex doesn't count: it may not be what it waits for.
 */
bool detection_next_cause(const struct detection *run, struct edge_walk *walk, struct edge *ret_edge);

/*
 * Whether the thread waits to be signalled (a condition, a semaphore, a barrier) with a lock held that other
 * threads wait for: one of them may be who would have signalled.
 */
bool detection_is_nested_monitor(const struct detection *run, uint32_t thread);

/* Whether all of the process has been asleep for so long that this is taken for its end: nobody is left to wake it. */
bool detection_all_sleep(const struct detection *run);

/* The sum of a key or a witness: the kind first, then what it rests on. */
uint64_t detection_key(enum finding_kind kind);

/* Item: what `thread` waits for, now; with `edge`, as that edge has it. */
struct finding_item *detection_add_wait(struct detection *run, struct finding *finding, enum role role,
					uint32_t room, uint32_t thread, const struct edge *edge);
/* Item: what `thread` holds, where it took it. */
struct finding_item *detection_add_hold(struct detection *run, struct finding *finding, enum role role,
					uint32_t room, const struct snap_thread *thread,
					const struct rec_hold *hold);
/* Item: where `thread` is now, as well as that is known. */
struct finding_item *detection_add_now(struct detection *run, struct finding *finding, uint32_t room,
				       uint32_t thread);
/* Items: one a waiter, as many as there is room for. */
void detection_add_waiters(struct detection *run, struct finding *finding, uint32_t room,
			   const struct waiter *waiters, uint32_t count);

#endif
