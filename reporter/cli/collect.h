/*
 * The findings of one process, from the two places where they come from: the
 * log that the target itself keeps (REC_ALERTS), and the detectors run here, on a snapshot made
 * from outside. An incident that is in both, or more than once in the log (reported, updated, over), is one.
 *
 * Context: offline.
 */
#ifndef WH_CLI_COLLECT_H
#define WH_CLI_COLLECT_H

#include "reporter/finding.h"

struct collection {
	struct arena *arena; /* owns `found`; the findings lie in it or in the view */
	const struct finding **found;
	uint32_t count, room;
	uint32_t *slots;     /* hash table: position in `found` + 1; 0: empty */
	uint32_t slot_count; /* a power of two, or 0 */
	uint32_t newest;     /* how many findings the log has; they are numbered from 1 */
	bool incomplete;     /* memory ran out */
};

/* Adds what the log holds after finding number `since`. */
void collect_log(struct collection *collection, const struct view *view, uint32_t since);

/*
 * Adds what the live detectors say about `snapshot`. A finding counts only where `before`, a look at
 * the same process a moment ago, made it too and nothing has moved since (equal witness).
 */
void collect_live(struct collection *collection, const struct snapshot *snapshot,
		  const struct finding_list *before);

/*
 * Adds what can be said of a process that is gone and did not judge itself (REC_FINAL_DONE unset): killed, crashed.
 * Nothing moves there, so one look is as good as two.
 */
void collect_dead(struct collection *collection, const struct snapshot *snapshot);

/* Adds one more. */
void collect_add(struct collection *collection, const struct finding *finding);

/* That look: what the live detectors say about `snapshot`, unconfirmed. The list is in `arena`. */
void collect_look(struct finding_list *ret_list, const struct snapshot *snapshot, struct arena *arena);

#endif
