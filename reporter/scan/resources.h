/*
 * Paired resources that were opened and never released.
 *
 * Whose handle is the address of a block (a FILE, a DIR): lost where nothing
 * points to the block, as for any block; but libc chains all open streams
 * together, and that chain does not count. What only a lost resource points to (its
 * buffers) is part of it, no leak of its own.
 *
 * Others (annotated iterators): lost where the thread that opened it has ended, or
 * ends the process now. One of a thread that still runs may be in the middle of its work.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_RESOURCES_H
#define WH_REPORTER_SCAN_RESOURCES_H

#include "reporter/finding.h"
#include "reporter/scan/mark.h"

/* Whether it is judged by what points to it. `blocks` has been indexed. */
bool resource_is_block(const struct rec_hold *resource, const struct blocks *blocks);

/* Sets BLOCK_RESOURCE where an open resource's block starts; before anything is marked. */
void resources_enter(const struct snapshot *snapshot, struct blocks *blocks);

/*
 * Once the roots are marked: takes lost resources and what they drag along out of what is lost
 * (BLOCK_REACHED). ret_bytes[i] is for resource i: 0 where it is not lost, else its bytes plus 1.
 */
void resources_judge(const struct snapshot *snapshot, struct mark *mark, uint64_t *ret_bytes);

/*
 * Adds an iterator-leak finding for each kind and stack. `bytes` as above; NULL: reachability is unknown,
 * judge the others alone. `caller` is the kernel's id of the exiting thread.
 */
void resources_report(const struct snapshot *snapshot, const uint64_t *bytes, int32_t caller, uint32_t flags,
		      struct finding_list *list);

#endif
