/*
 * The end of a thread, as near to its last instruction as libc lets one come: a
 * thread-specific key whose destructor re-arms itself until the last round, so
 * that other destructors, which lock and free, have run by then.
 */
#ifndef WH_PLATFORM_TSD_H
#define WH_PLATFORM_TSD_H

#include "base/types.h"

/*
 * `ends` is called on each thread that called tsd_arm, when it ends. Early, before the program
 * has made 32 keys: setting one of the first 32 never allocates. Context: init.
 */
void tsd_init(void (*ends)(void));

/* Context: hook. Keeps errno. */
void tsd_arm(void);

#endif
