/*
 * Where locks and conditions were destroyed, for a while: by whom, and of readers-writer locks in what state. That is what a
 * later use of one is told with. Whether a mutex or a condition is destroyed its own words say (hooks/words.h); a readers-writer lock
 * bears no mark of libc's, so it counts as destroyed as long as its words are what they were, and are not what an initialiser would
 * have left.
 *
 * A small table by address: whatever falls on the same place last is what is known. Who finds an entry being
 * written or read leaves his out, as a signal handler has to.
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_DESTROYED_H
#define WH_REGISTRY_DESTROYED_H

#include <stdatomic.h>

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

#define DESTROYED_MOST 256u

/* `state`: of what the object's words said at that time, any number of the caller's. */
void destroyed_note(enum kind kind, uint64_t handle, uint64_t state, const struct rec_misuse_part *by);

/* Return: false: it is too long ago, or was not seen. */
bool destroyed_find(enum kind kind, uint64_t handle, uint64_t *ret_state, struct rec_misuse_part *ret_by);

/* It is initialised anew. */
void destroyed_forget(enum kind kind, uint64_t handle);

/* Whether any readers-writer lock was noted with a state other than 0: where none was, nobody need ask. */
extern HIDDEN _Atomic uint32_t destroyed_rwlocks;

/* Whether destroyed_find may find something there; for those that can't afford to ask. Context: signal. */
bool destroyed_maybe(uint64_t handle);

/* In a fork child: its threads are others. */
void destroyed_fork_child(void);

#endif
