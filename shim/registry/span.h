/*
 * Spans: a sample of the iterations, recorded whole for a timeline: when each began and ended, what the thread
 * allocated, freed and used of a processor meanwhile, and what it was blocked on. Which ones: the option `spans`,
 * a share of all; none by default, and then this costs a load.
 */
#ifndef WH_REGISTRY_SPAN_H
#define WH_REGISTRY_SPAN_H

#include "base/context.h"
#include "registry/snapshot.h"

/*
 * The calling thread has opened the iterator `hold`. Return: its place, for rec_hold.span; 0: it is none of the sample. With self.busy
 * held by the caller, as below. Context: hook.
 */
uint16_t span_begin(const struct rec_hold *hold);

/* `was` has been closed. Context: hook. */
void span_end(const struct rec_hold *was);

/* Notes what the threads of spans that last are blocked on in a look at them. Context: reporter. */
void span_look(const struct snapshot *snapshot);

#endif
