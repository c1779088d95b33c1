/*
 * How often a place has opened descriptors, as far as it matters: once, or more often; and whether any of them was closed. What is
 * opened once may be meant to stay open until the end (a lock on a file, a name that must not be taken twice), though
 * nobody keeps its number.
 */
#ifndef WH_REGISTRY_OPENED_H
#define WH_REGISTRY_OPENED_H

#include "registry/format.h"

/* Something was opened there; one of what was is closed. Context: hook. */
void opened_count(stack_id stack);
void opened_closed(stack_id stack);

/* Whether it was not just once, for good. False also where that is not known. Context: hook, reporter. */
bool opened_again(stack_id stack);

/* In a fork child: what the parent has opened is its own business. */
void opened_fork_child(void);

#endif
