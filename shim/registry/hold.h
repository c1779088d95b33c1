/*
 * A hold is one thing a thread has taken and must give back: a lock, an open
 * directory, an iterator. Every kind is recorded the same way, so that every
 * detector can ask the same questions: who, what, since when, from where.
 * (Blocks of memory are holds too, but there are millions: registry/allocation.h.)
 *
 * Kinds with the trait THREAD live in the taker's slot, which nobody else writes;
 * kinds with the trait RESOURCE live in REC_RESOURCES, found by their handle.
 *
 * All functions: Context: hook. They keep errno, never block, and count what
 * found no room. Call hold_begin after the real call succeeded (a hold that
 * exists only in the table would be reported as a lock nobody can release) and
 * hold_end before the real release (after it, another thread may own the lock).
 */
#ifndef WH_REGISTRY_HOLD_H
#define WH_REGISTRY_HOLD_H

#include "base/context.h"
#include "registry/kind.h"

/*
 * The calling thread now holds `handle`. Recursive: the same kind, handle and mode again counts
 * up and keeps the first stack.
 */
void hold_begin(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack);

/* How a hold ended. */
enum hold_end { HOLD_END_OWN, HOLD_END_FOREIGN, HOLD_END_UNKNOWN };

/*
 * `handle` is given back by the calling thread: one level of its own hold, else the (newest)
 * hold of another thread, else nothing is known of it. `ret_mode`, unless NULL, gets the mode it
 * was held in, so that hold_undo_end can put it back. A kind not OWNED (semaphores) prefers the
 * caller's own, then the oldest of any thread.
 */
enum hold_end hold_end(enum kind kind, uint64_t handle, enum mode *ret_mode);

/* The calling thread's own hold of `handle`; NULL: none. Valid until its next hold event. */
const struct rec_hold *hold_own(enum kind kind, uint64_t handle);

/* With which descriptor the calling thread took its own hold of a file lock. */
void hold_descriptor(enum kind kind, uint64_t handle, int fd);

/* A condition wait gives the mutex up and takes it back: the hold stays, parked meanwhile. */
void hold_park(enum kind kind, uint64_t handle);
void hold_unpark(enum kind kind, uint64_t handle);

/* The object at `handle` was destroyed or initialised anew: whatever is recorded as held of it is gone. */
void hold_forget(enum kind kind, uint64_t handle);

/*
 * A resource is acquired or released. `sort` tells apart things of one kind whose handles may be the same (an
 * annotated slot 3 and socket 3); `container`: what an iterator iterates over, what pool a thing is taken
 * from; `name`: what the program calls it. All but kind and handle may be 0.
 */
struct resource {
	enum kind kind;
	enum op op;
	stack_id stack;
	text_id sort;
	uint64_t handle;
	union {
		uint64_t container;
		uint64_t bytes; /* of a kind that is SIZED */
	};
	const char *name;
	text_id text;   /* the name, where it is in the recording already */
	uint32_t flags; /* enum hold_flag */
	/* Of a release of what a library hands out: */
	bool of_block;     /* wrong only where the handle was a block, which is gone */
	const void *frame; /* `stack` is captured from here, where it is needed */
	uint64_t only;     /* that hold and no other, by resource_identity; 0: the newest one of `handle` */
};

/* Never 0 for a hold of a thread that is known. */
uint64_t resource_identity(const struct rec_hold *hold);

/* A handle acquired again without a release replaces the old hold: the release went a way that we do not see. */
void resource_acquired(const struct resource *what);
/* Return: whether it was open; then `ret_was`, unless NULL, gets what was known of it. */
bool resource_released(const struct resource *what, struct rec_hold *ret_was);

/* The same in fewer words. */
void resource_begin(enum kind kind, uint64_t handle, enum op op, stack_id stack, uint64_t container,
		    const char *name);
bool resource_end(enum kind kind, uint64_t handle);

/* For the flags of a resource that ends when its block is freed, by whatever function: 0 where the handle is none. */
uint32_t resource_block_flags(uint64_t handle);
/* Ends those whose block is gone, or that `is_over` says are. A look at each that is open. Context: reporter; hook, at the end. */
void resource_forget_freed(void);
void resource_forget(bool (*is_over)(const struct rec_hold *hold));

/* What is known of an open resource. Return: whether it is open. */
bool resource_find(const struct resource *what, struct rec_hold *ret_hold);

/* Whether anything that is open may be of that container; false is certain. A load. */
bool resource_may_be_of(uint64_t container);
/* The newest that are open of that container, `room` of them at the most. Return: how many. */
uint32_t resource_find_of(uint64_t container, struct rec_hold *ret_holds, uint32_t room);

#endif
