/*
 * The clock of `growth`: it divides the time of a process into windows and notes, for each
 * site with much live memory, how little was live at the least in each of them
 * (REC_GROWTH). Where that rises, it counts what of each window's blocks is still live.
 *
 *   looks   │││││││││││││││││││││││││││││││   several a window
 *   windows ├──────┼──────┼──────┼──────┤     REC_GROWTH_BANDS of them make a verdict
 *   site      ▁▂▁▂   ▂▃▂▃   ▃▄▃▄   ▄▅▄▅       the lowest: ▁ ▂ ▃ ▄
 *
 * A site that does not rise from one window to the next begins again.
 *
 * One owner, the reporter thread. Context: reporter.
 */
#ifndef WH_REPORTER_GROWTH_CLOCK_H
#define WH_REPORTER_GROWTH_CLOCK_H

#include "registry/snapshot.h"

/* Begins anew. `time`: in all windows together, the option `growth`; 0: never looks. */
void growth_clock_start(nsec_t time);

/*
 * To be called each tick. Most times it does nothing; else its cost is linear in the sites and mappings, and at the end
 * of a window in which a site has risen for long enough, in the live blocks.
 */
void growth_clock_tick(const struct snapshot *snapshot, nsec_t now);

#endif
