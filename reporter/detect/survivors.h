/*
 * What a site's windows of time say of it (REC_GROWTH): whether its live memory rose
 * through all of them. Live memory at its lowest in a window is what is left when
 * a queue is empty and a cache has been swept, so that what breathes does not rise.
 *
 * Context: signal.
 */
#ifndef WH_DETECT_SURVIVORS_H
#define WH_DETECT_SURVIVORS_H

#include "registry/format.h"

/* A site with less live is of no interest. Chosen somewhat arbitrarily. */
#define GROWTH_LEAST ((uint64_t)64 * 1024)

/*
 * Whether all windows are there, and the lowest of each is above that of the one before by a good part of
 * an even share: what was filled once, or fills up, rises less and less.
 */
bool survivors_rise(const struct rec_growth *growth);

#endif
