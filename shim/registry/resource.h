/*
 * Resources: holds that belong to their handle and not to a thread's nesting
 * (open directories, streams, iterators), found by (kind, handle) from any thread.
 * Also the overflow of threads that hold more locks than their slot has room for.
 *
 * Kept in REC_RESOURCES under one short lock; what is acquired that way costs
 * a system call anyway.
 *
 * Context: hook, with self.busy held by the caller.
 */
#ifndef WH_REGISTRY_RESOURCE_H
#define WH_REGISTRY_RESOURCE_H

#include "registry/format.h"
#include "registry/kind.h"

/* Return: false where there is no room (counted). */
bool resource_add(const struct rec_hold *hold);

/* Takes out the newest hold of `handle`, of thread `owner` only unless that is 0. Return: whether there was one. */
bool resource_drop(enum kind kind, uint64_t handle, thread_id owner, enum mode *ret_mode);

/* In a fork child: the descriptors and streams that the parent had open are none of its business. */
void resource_fork_child(void);

#endif
