/*
 * Paired resources that were opened and never released.
 *
 * Whose handle is the address of a block (a FILE, a DIR, an annotated resource): lost where
 * nothing points to the block, as for any block; but libc chains all open streams
 * together, and that chain does not count. What only a lost resource points to (its
 * buffers) is part of it, no leak of its own.
 *
 * Others (annotated iterators, handles that are no blocks): lost where the thread that opened it has ended, or
 * ends the process now. One of a thread that still runs may be in the middle of its work.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_RESOURCES_H
#define WH_REPORTER_SCAN_RESOURCES_H

#include "reporter/finding.h"
#include "reporter/scan/mark.h"

/* What reachability says of a resource. */
enum resource_verdict {
	RESOURCE_UNJUDGED, /* its handle is in no block, or it must be closed even where it is known */
	RESOURCE_KEPT,
	RESOURCE_LOST, /* plus the bytes that are lost with it */
};

/* Sets BLOCK_RESOURCE where an open resource's block starts; before anything is marked. */
void resources_enter(const struct snapshot *snapshot, struct blocks *blocks);

/*
 * Once the roots are marked: takes lost resources and what they drag along out of what is lost
 * (BLOCK_REACHED). ret_verdicts[i] is for resource i.
 */
void resources_judge(const struct snapshot *snapshot, struct mark *mark, uint64_t *ret_verdicts);

/*
 * Adds an iterator-leak finding for each kind and stack. `verdicts` as above; NULL: reachability is unknown,
 * judge the others alone. `caller` is the kernel's id of the exiting thread.
 */
void resources_report(const struct snapshot *snapshot, const uint64_t *verdicts, int32_t caller,
		      uint32_t flags, struct finding_list *list);

/*
 * Adds one of them, and the `dragged` bytes that only it leads to, to the findings from number `from` on. Task `tid` of this process has
 * its table of descriptors.
 */
void resources_add_lost(const struct snapshot *snapshot, const struct rec_hold *resource, uint64_t dragged,
			int32_t tid, uint32_t flags, uint32_t from, struct finding_list *list);

#endif
