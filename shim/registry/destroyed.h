/*
 * Where mutexes were destroyed, for a while: what a later use of one can be told with. Whether one is destroyed its own words
 * say (hooks/mutex.h); this only remembers by whom.
 *
 * A small table by address: whatever falls on the same place last is what is known. Who finds an entry being
 * written or read leaves his out, as a signal handler has to.
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_DESTROYED_H
#define WH_REGISTRY_DESTROYED_H

#include "base/context.h"
#include "registry/format.h"

#define DESTROYED_MOST 256u

void destroyed_note(uint64_t mutex, const struct rec_misuse_part *by);

/* Return: false: it is too long ago, or was not seen. */
bool destroyed_find(uint64_t mutex, struct rec_misuse_part *ret_by);

/* In a fork child: its threads are others. */
void destroyed_fork_child(void);

#endif
