/*
 * Mappings of the program's own (registry/mapping.h) while the scan marks: they are no roots, as other mappings are, but are read
 * once something leads to them. What nothing leads to is lost.
 *
 * A pointer to any byte counts; and one behind the end, where nothing else lies there or the program has mapped it for a stack, which
 * grows down and may be known by that: most addresses at which something ends are known since something else begins there, and
 * the kernel mostly puts each mapping right below the one before. What is left of a mapping in several
 * pieces, since some in the middle was unmapped, is known by a pointer into any of them. Nothing else is done here; what
 * may be judged, and how sure one must be, is mappings.h.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_EXTENTS_H
#define WH_REPORTER_SCAN_EXTENTS_H

#include "reporter/scan/ranges.h"

enum extent_state {
	EXTENT_UNKNOWN, /* nothing leads to it so far */
	EXTENT_REACHED,
	EXTENT_READ, /* and what is in it was marked */
};

struct extent {
	uint64_t start, end;
	uint64_t last;     /* the last address that counts */
	uint64_t whole;    /* the same for all pieces of a mapping */
	uint64_t beside;   /* the start of its mapping's next piece, in a ring; its own: it is the only one */
	uint32_t state;    /* enum extent_state */
	uint32_t resource; /* its number in the snapshot */
	uint64_t following; /* what is to be read after it: its number from 1; 0: nothing */
};

struct extents {
	struct extent *at; /* ascending, disjoint */
	uint64_t count, room;
	uint64_t low, span;       /* all lie in [low, low + span), and so do their ends */
	uint64_t mask, exclusive; /* words count as (word & mask) ^ exclusive too; 0 and 0: they don't */
	uint64_t to_read;         /* the one that was reached last: its number from 1; 0: none */
	struct ranges ignored;    /* what stands there leads nowhere; sorted */
};

/* They have been put in, in any order, and but for `beside`, which is found. Nothing is to be read then. */
void extents_sort(struct extents *extents);

/* What any of the words points into is reached, but for words in what is ignored. */
void extents_look(struct extents *extents, const uint64_t *words, uint64_t count);

/* What `address` leads to. Return: whether that is news. */
bool extents_reach(struct extents *extents, uint64_t address);

/* One that is to be read, which is then as good as read; NULL: none. */
const struct extent *extents_next(struct extents *extents);

#endif
