/*
 * A walk over debugging information entries in the order of the file, each
 * visited once. libdw's own dwarf_siblingof finds the next sibling by reading
 * everything in between where the compiler left no shortcut (clang), so that a
 * nested walk reads an entry once a level, and follows a damaged shortcut
 * backwards for ever. This walk only ever goes forward.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_WALK_H
#define WH_SYMBOLIZE_WALK_H

#include <elfutils/libdw.h>

#include "base/types.h"

struct walk {
	Dwarf_Die die;   /* the entry being visited */
	unsigned depth;  /* 1: a child of the root */
	const char *end; /* of the unit */
};

/* To the first entry below `root`; false: there is none. */
bool walk_begin(struct walk *walk, Dwarf_Die *root);

/*
 * To the next entry. `skip`: what lies below this one is not wanted; it is still visited where
 * the file does not say how far it goes, so callers look at the depth. False: that was the last one.
 */
bool walk_next(struct walk *walk, bool skip);

#endif
