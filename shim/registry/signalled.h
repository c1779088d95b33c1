/*
 * Who has last signalled a condition variable, or posted a semaphore: whoever waits for it waits for
 * that thread, as a rule. Nobody holds a condition, so nothing else tells whom to look at where
 * a thread waits on one for ever.
 *
 * Kept in REC_SIGNALS, a table of fixed size in which the place of an object is a hash of its address: no lock and
 * no search. An entry is written under a sequence number of its own; who finds it being written leaves his signal
 * out, and where too many objects fall on the same places the one that was signalled the longest time ago is forgotten.
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_SIGNALLED_H
#define WH_REGISTRY_SIGNALLED_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

/* Whether there is another thread that a signal could be for: if not, none is noted. */
bool signalled_wanted(void);

/* The calling thread is about to signal, from `stack`. */
void signalled_note(enum kind kind, uint64_t handle, enum op op, stack_id stack);

/* The object is made anew, or gone. */
void signalled_forget(uint64_t handle);

/* The calling thread ends: what it was the last to signal says when. */
void signalled_thread_end(void);

#endif
