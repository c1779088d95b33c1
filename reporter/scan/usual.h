/*
 * Pointers into the middle of a block that are as they should be, though nobody has its start:
 *
 *   - to the elements of an array of C++, behind their number;
 *   - to a second base class: it and the object begin with a pointer to a virtual table each;
 *   - to the text of a std::string of the old ABI;
 *   - to what lies behind the block's own size, as SQLite has it in front;
 *   - to the end of a header with nothing behind it.
 *
 * The first three are memcheck's heuristics (--leak-check-heuristics), which go by the same marks.
 *
 * Context: reporter, while nothing else runs.
 */
#ifndef WH_REPORTER_SCAN_USUAL_H
#define WH_REPORTER_SCAN_USUAL_H

#include "reporter/scan/blocks.h"

/*
 * Whether a pointer to `word`, in the middle of block `number`, which starts at `start`, is one of these. `data`: the maps (struct
 * maps) that tell what a virtual table is; NULL: none is. A mark_accepts.
 */
bool usual_middle(const struct blocks *blocks, uint32_t number, uint64_t start, uint64_t word,
		  const void *data);

#endif
