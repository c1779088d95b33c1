/*
 * What all threads hold and wait for, looked up by the memory it lies in: for the rare call that is wrong if
 * anybody has the thing that it is about. A walk over all slots; a slot that is being written, again and
 * again, is passed over: better to miss something than to make it up.
 *
 * Context: hook.
 */
#ifndef WH_REGISTRY_OTHERS_H
#define WH_REGISTRY_OTHERS_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

/* Where it lies, and what it is. */
struct others_range {
	uint64_t from, to; /* its address is at or above `from` and below `to` */
	enum kind
	    kind; /* KIND_NONE: any lock (kinds that are BLOCKS and THREAD); of waits, any that has an address */
	bool own_too; /* what the calling thread has counts as well */
};

static inline struct others_range others_at(enum kind kind, uint64_t handle, bool own_too)
{
	return (struct others_range){ .from = handle, .to = handle + 1, .kind = kind, .own_too = own_too };
}

/* Whether there is any hold or wait there. Cheaper than the questions which. */
bool others_any(const struct others_range *range);

struct other_hold {
	struct rec_hold hold;
	int32_t tid; /* of its thread */
};

/* The newest hold in force there. Return: false: none. */
bool others_hold(const struct others_range *range, struct other_hold *ret_hold);

/* How often it is held there by all threads, each level of a recursion counted. */
uint32_t others_count(const struct others_range *range);

struct other_wait {
	struct rec_wait wait;
	thread_id thread;
	text_id name;
	int32_t tid;
};

/* A wait that goes on there, the oldest. A call that destroys or joins is none. Return: false: none. */
bool others_wait(const struct others_range *range, struct other_wait *ret_wait);

#endif
