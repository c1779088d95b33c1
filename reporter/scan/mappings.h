/*
 * Mappings of the program's own that are lost: nothing that the program can get at points into them. They are memory like blocks, but
 * bigger, and no allocator keeps an account of them.
 *
 * Told of are those alone of which it is certain. Roots as before are: what the program has placed itself, and so can find again without a
 * pointer; what is shared with an allocator, or holds blocks of a pool; what can't be read (reservations, guards), is executable (code
 * that was made at run time is called by offsets) or is a device's; and all of them where not every thread is known. What
 * nothing leads to is sought once more in all that is alive, at each byte: whatever could be an address in it, with any upper 16 bits,
 * the number of a page of it, or in low memory a number of 32 bits.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_MAPPINGS_H
#define WH_REPORTER_SCAN_MAPPINGS_H

#include "reporter/finding.h"
#include "reporter/scan/extents.h"
#include "reporter/scan/image.h"
#include "reporter/scan/mark.h"

struct lost_mapping {
	struct rec_hold hold;
	uint64_t
	    dragged; /* bytes in blocks that only it leads to, as far as no one before it in the list does */
};

/* Part of a verdict. */
struct lost_mappings {
	struct lost_mapping *at; /* ascending by address */
	uint64_t count, room;
};

/* How many open mappings a snapshot has: as many may be lost. */
uint64_t mappings_count(const struct snapshot *snapshot);

/* Puts in what can be judged. Return: 0 or -ENOMEM. extents_free in any case. */
int mappings_choose(const struct image *image, struct extents *extents);
void mappings_free(struct extents *extents);

/*
 * Once all is marked: looks for any other trace of those that nothing leads to, and lists what is left; those alone that
 * were lost `before`, unless that is NULL. What they lead to is marked, and so dragged along.
 */
void mappings_settle(struct lost_mappings *lost, struct image *image, struct mark *mark,
		     const struct lost_mappings *before);

/*
 * Adds a finding for each place that made some of the lost. `kind`: leak, or possible-leak, of those alone of which there are more than
 * `unread`.
 */
void mappings_report(const struct lost_mappings *lost, const struct snapshot *snapshot,
		     enum finding_kind kind, uint32_t flags, uint64_t unread, struct finding_list *list);

#endif
