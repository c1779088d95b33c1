/*
 * What was lost, told so that a person can act on it: by the stack that allocated
 * it, and every lost block counted once.
 *
 *   directly lost    nothing at all points to it, or only blocks of a ring that
 *                    it is part of: the place to fix
 *   indirectly lost  a lost block points to it: dragged along
 *
 * Lost blocks and the pointers between them are a graph. Its rings (strongly
 * connected components, Tarjan 1972) are folded into one node each; the nodes that
 * nothing points to are the direct ones. What several of them drag along is
 * counted with the first. So a ring is one loss, not a set of blocks each of
 * which is "reachable from a lost one".
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_GROUP_H
#define WH_REPORTER_SCAN_GROUP_H

#include "reporter/scan/blocks.h"

#define GROUP_OTHERS 3u

/* Everything lost directly that one site allocated; a ring counts for the site with most bytes in it. */
struct group {
	site_id site;
	uint32_t thread;       /* thread_id (low 20 bits) of the first block; 0: unknown */
	uint64_t bytes, count; /* lost directly; of a ring all of it */
	uint64_t indirect_bytes, indirect_count;
	bool cycle; /* one of them is a ring */
	bool threads_differ;
	uint32_t alike;               /* more sites that count here: see group_rest.h */
	site_id others[GROUP_OTHERS]; /* more sites of its rings; 0: none */
};

struct groups {
	struct group *at; /* the caller's, `room` of them */
	uint64_t room;
	uint64_t count;
	uint64_t dropped; /* groups that found no room */
	uint64_t memory;  /* bytes that were needed, but for the path of the walk */
	bool failed;      /* memory or time ran out: nothing may be concluded */
};

/*
 * Groups the blocks that are not BLOCK_REACHED, ordered by bytes, direct and indirect, the most
 * first. `deadline` as in mark.h.
 */
void groups_make(struct groups *groups, struct blocks *blocks, nsec_t deadline);

/* That order (a sort_before). */
bool group_before(const void *a, const void *b, void *unused);

#endif
