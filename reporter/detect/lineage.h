/*
 * What came before what by nature: a thread does nothing before it is made, and
 * nothing after it has been joined (REC_LINEAGE).
 *
 * Context: reporter.
 */
#ifndef WH_DETECT_LINEAGE_H
#define WH_DETECT_LINEAGE_H

#include "base/arena.h"
#include "registry/view.h"

struct lineage {
	const struct view *view;
	uint32_t count;   /* entries */
	bool cut;         /* later ones found no room */
	uint32_t *after;  /* scratch: by thread, the time from which it is after what is asked about */
	uint32_t threads; /* length of `after` */
	uint64_t work;    /* done so far */
};

/* Return: false without memory. */
bool lineage_load(struct lineage *lineage, const struct view *view, struct arena *arena);

/*
 * Whether two threads could do at once what they were seen doing. Where that can't be said (the
 * table was full by then, or too much has been asked), they could not. Cost: linear in the entries.
 */
bool lineage_overlap(struct lineage *lineage, const struct rec_sight *one, const struct rec_sight *other);

#endif
