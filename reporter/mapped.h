/*
 * Mappings of the program's own (option `mappings`), by the place that made them.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_MAPPED_H
#define WH_REPORTER_MAPPED_H

#include "base/arena.h"
#include "registry/snapshot.h"

struct mapped {
	stack_id stack;
	uint32_t count;
	uint64_t bytes;
	nsec_t since;     /* of the oldest */
	thread_id thread; /* of the oldest */
	uint16_t op;      /* enum op, of the oldest */
};

struct mapped_list {
	struct mapped *at; /* that with most bytes first */
	uint32_t count;
	uint64_t mappings, bytes; /* in all */
};

/* Of those in `snapshot` that were made at `since` (0: ever) or later; it lies in `arena`. Without memory it is empty. */
struct mapped_list mapped_by_place(const struct snapshot *snapshot, nsec_t since, struct arena *arena);

#endif
