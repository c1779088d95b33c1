/*
 * Resources that are lost while the program runs on: the blocks of streams, directories and others of libraries that nothing points
 * to, and descriptors whose numbers nothing knows (numbers.h). As of blocks, of those alone that were lost in two images in a row; and
 * of descriptors, of those that are open still when it is told.
 *
 * What has to be closed even where it is known (an annotated iterator, a cursor) may be in the middle of its work, and is left to
 * the end of the process.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_LOST_H
#define WH_REPORTER_SCAN_LOST_H

#include "reporter/finding.h"

struct lost_resource {
	struct rec_hold hold;
	uint64_t
	    dragged; /* bytes in blocks that only it leads to, as far as none before it in the snapshot does */
};

/* Part of a verdict. */
struct lost_resources {
	struct lost_resource *at; /* ascending by handle */
	uint64_t count, room;
};

/*
 * Lists those that `verdicts` (resources.h) say are lost; those alone that were lost `before`, unless that is NULL.
 */
void lost_resources_settle(struct lost_resources *lost, const struct snapshot *snapshot,
			   const uint64_t *verdicts, const struct lost_resources *before);

/*
 * Adds a finding for each kind and place of those that `snapshot`, which is newer, has still. Context: reporter, in the
 * target.
 */
void lost_resources_report(const struct lost_resources *lost, const struct snapshot *snapshot, uint32_t flags,
			   struct finding_list *list);

#endif
