/*
 * The end of a thread, as near to its last instruction as libc lets one come: a
 * thread-specific key whose destructor re-arms itself until the last round, so
 * that other destructors, which lock and free, have run by then.
 *
 * There are 1,024 keys, and the program may want them all: then it gets this one, too,
 * and the end of a thread is told by the frame that called its start routine (hooks/thread.c).
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

/* Whether `ends` will be called for a thread that is armed now. Context: hook. */
bool tsd_works(void);

/*
 * Gives the key back to libc, for good. Threads that are armed already end unheard. Return: whether there is a key more
 * now than before. Context: hook.
 */
bool tsd_give_up(void);

/* In a fork child: no other thread is in here any more. Context: hook. */
void tsd_fork_child(void);

#endif
