/*
 * Ghosts: blocks that nobody can get at but libc, which keeps them for later: values of thread-specific keys, and arguments of what is to
 * be run at exit. One such value a thread, or a few handlers, are as they should be. Many of one place are objects that
 * were each given a key, or a handler, of their own, and are gone but for that.
 *
 * Known are the pieces that libc adds to its lists of handlers, and to a thread's table of values: each has room for 32. The first
 * piece of either is part of something else; what it holds counts as used. They are left out when all is marked, and read last: what is
 * reached by them alone is a ghost, and told where one piece holds GHOSTS_LEAST from the same place, in two looks
 * in a row. While a process ends nothing is said, since handlers have run.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_GHOSTS_H
#define WH_REPORTER_SCAN_GHOSTS_H

#include "reporter/finding.h"
#include "reporter/scan/image.h"
#include "reporter/scan/mark.h"

/* Half of what a piece has room for. */
#define GHOSTS_LEAST 16u
#define GHOSTS_SITES 16u

struct ghosts {
	uint32_t count;
	struct ghost {
		site_id site;
		uint32_t keeper; /* enum finding_keeper */
		uint64_t bytes, blocks;
	} sites[GHOSTS_SITES];
};

/* Whether a block is such a piece, by its size and by who allocated it: the innermost frames; 0: it is none. */
enum finding_keeper ghosts_keeper_of(uint64_t bytes, const struct rec_stack *stack);

/* Holds the pieces back (blocks that were added with BLOCK_LEFT_OUT), before anything is marked. Return: whether there are any. */
bool ghosts_hold_back(const struct image *image);

/*
 * When all else has been marked: marks what they hold, and fills in `ghosts`; without the sites that were not there
 * `before` (NULL: nothing is before).
 */
void ghosts_settle(struct ghosts *ghosts, const struct image *image, struct mark *mark,
		   const struct ghosts *before);

/* Adds a finding for each site. */
void ghosts_report(const struct ghosts *ghosts, const struct snapshot *snapshot, uint32_t flags,
		   struct finding_list *list);

#endif
