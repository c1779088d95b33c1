/*
 * What the reports of a run (JSON, one a line) say, added up: findings by their ids, which stay the same from build to build,
 * and places by the functions of their stacks. Pure.
 *
 * Ids know no lines, so two leaks of one function have the same; they are told apart by the lines of their first stacks.
 * A finding that several reports of a process have counts as the last of them has it; those of several processes add up.
 *
 * Context: offline. Memory is the caller's arena's.
 */
#ifndef WH_CLI_TALLY_H
#define WH_CLI_TALLY_H

#include "base/arena.h"

/* A finding, or a place that allocates. */
struct tally {
	const char *id;    /* of a place: its functions, innermost first */
	const char *lines; /* of a finding: of its first stack, "db.c:42 main.c:7 "; "": not known */
	const char *kind, *severity, *title;
	double bytes, count;
	int64_t pid;               /* of the process that has it */
	unsigned report;           /* number of the one that says so; what one says twice adds up */
	const struct tally *match; /* what it is compared with; NULL: nothing yet */
	struct tally *next, *next_hashed;
};

/* The one added last comes first. {0} is empty. */
struct tallies {
	struct tally *first, **hashed;
	size_t count;
};

struct run_tally {
	const char *name; /* of the file */
	struct tallies findings, places;
};

/*
 * Reads the reports in `text`, one or more. What processes have is added up.
 * Return: 0; -ENODATA: there are none; -EINVAL: that is none, or not all of it; -ENOMEM.
 */
int run_tally_read(struct run_tally *run, struct arena *arena, const char *text);

/* The first with the id of `what` that has no match yet; `exactly`: and the same lines. NULL: none. */
struct tally *tallies_unmatched(const struct tallies *tallies, const struct tally *what, bool exactly);

#endif
