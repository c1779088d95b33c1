/*
 * Blocks that are kept alive by pointers into their middle alone: memcheck's *possibly lost*. Most are in use (links of lists
 * that lie in the middle, headers in front of what is handed out), some are left over, and nothing tells the one from the
 * other; so they are looked for only where the option possible_leaks asks for it.
 *
 * When what is lost is known, the image is marked a second time, from all roots, and a word counts for the block that it is the start of. What
 * was reached the first time and is not now is held by its middle. What threads have on their stacks and in their registers counts in any
 * case, since a loop may be at work there, and so do the pointers of usual.h.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_INTERIOR_H
#define WH_REPORTER_SCAN_INTERIOR_H

#include "reporter/scan/image.h"

/* The image has been marked: notes what is lost, before anything else is taken for reached. */
void interior_note_lost(struct blocks *blocks);

/*
 * Marks anew, all that interior_note_lost has noted aside. Afterwards the blocks without BLOCK_REACHED are those that are held by their
 * middle, and what they drag along. Return: 0 or -errno: nothing may be concluded.
 */
int interior_mark(struct image *image);

#endif
