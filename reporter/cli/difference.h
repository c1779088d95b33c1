/*
 * What differs between two runs, by what their reports say. Pure. Findings with the same id and lines are the same; where lines have
 * moved from one run to the other, those of an id are taken in order.
 *
 * Context: offline. Memory is the caller's arena's.
 */
#ifndef WH_CLI_DIFFERENCE_H
#define WH_CLI_DIFFERENCE_H

#include "base/arena.h"
#include "reporter/cli/tally.h"
#include "reporter/write/out.h"

enum change { CHANGE_NEW, CHANGE_GONE, CHANGE_GROWN, CHANGE_SHRUNK, CHANGE_COUNT };

struct changed {
	enum change change;
	const struct tally *old, *new; /* NULL where it is new or gone */
	const struct tally *any;       /* the new one, or where it is gone the old one */
};

struct difference {
	struct run_tally old, new;
	struct changed *findings, *places; /* findings: new ones first; both: by bytes */
	size_t finding_count, place_count;
	size_t same; /* findings that did not change */
};

/* Fills in all but the runs. Return: 0 or -ENOMEM. */
int difference_make(struct difference *difference, struct arena *arena);

/* For a person; for machines: one object. */
void difference_text(const struct difference *difference, struct out *out, bool verbose);
void difference_json(const struct difference *difference, struct out *out);

#endif
