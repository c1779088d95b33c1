/*
 * What differs between two runs, by what their reports (JSON, one a line) say: findings by their ids, which stay the same from
 * build to build, and places by the functions of their stacks. Pure.
 *
 * Ids know no lines, so two leaks of one function have the same. They are told apart by the lines of their first stacks where a
 * report has both; where lines have moved from one run to the other, those of an id are taken in order.
 *
 * A finding that several reports of a process have counts as the last of them has it; those of several processes add up.
 *
 * Context: offline. Memory is the caller's arena's.
 */
#ifndef WH_CLI_DIFFERENCE_H
#define WH_CLI_DIFFERENCE_H

#include "base/arena.h"
#include "reporter/cli/json_in.h"
#include "reporter/write/out.h"

/* A finding, or a place that allocates. */
struct tally {
	const char *id;    /* of a place: its functions, innermost first */
	const char *lines; /* of a finding: of its first stack, "db.c:42 main.c:7 "; "": not known */
	const char *kind, *severity, *title;
	double bytes, count;
	int64_t pid;
	unsigned report;           /* number of the one that says so; what one says twice adds up */
	const struct tally *match; /* what it is compared with; NULL: nothing yet */
	struct tally *next;
};

struct run_tally {
	const char *name; /* of the file */
	struct tally *findings, *places;
};

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

/* Reads the reports in `text`. Return: 0; -EINVAL: that is none, or not all of it; -ENOMEM. */
int run_tally_read(struct run_tally *run, struct arena *arena, const char *text);

/* Fills in all but the runs. Return: 0 or -ENOMEM. */
int difference_make(struct difference *difference, struct arena *arena);

/* For a person; for machines: one object. */
void difference_text(const struct difference *difference, struct out *out, bool verbose);
void difference_json(const struct difference *difference, struct out *out);

#endif
