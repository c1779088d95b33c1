/*
 * Having the program give memory back: malloc_trim takes the locks of the allocator's
 * arenas, one after the other, so only a thread of the program may call it, at a moment
 * when it is about to allocate and holds none of them.
 */
#ifndef WH_PLATFORM_TRIM_H
#define WH_PLATFORM_TRIM_H

#include "base/types.h"

/* Looks for malloc_trim. Context: init. */
void trim_init(void);

/* The next thread that allocates shall do it. Nothing where there is no malloc_trim. Context: reporter. */
void trim_want(void);

/*
 * Does it, if it is wanted and no other thread is at it. To be called where the gate (process.h) was found
 * closed. Context: hook, with nothing of the allocator's held. Keeps errno.
 */
void trim_if_wanted(void);

#endif
