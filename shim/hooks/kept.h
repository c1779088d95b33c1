/*
 * Freed blocks that are kept back, poisoned, under the option check=heap, so that what is written into them is seen
 * when they are let go.
 *
 * Each of them is memory that the program uses afresh instead of what lies in the caches, and that is what keeping them
 * costs. So a process that frees little keeps all of it, up to the option check_kept; one that has freed more than that
 * keeps the latest KEPT_YOUNG bytes, and of what is older one block in KEPT_CHOSEN, drawn at random, as long as the rest
 * of check_kept lasts. A write into a block that was freed long ago is then found by chance; by one that happens again
 * and again, before long. Of large blocks only the ends are poisoned from then on.
 *
 * What is known of them is in two rings of this library's own, where no stray write of the program comes upon it.
 *
 * Context: hook.
 */
#ifndef WH_HOOKS_KEPT_H
#define WH_HOOKS_KEPT_H

#include "hooks/checked.h"

#define KEPT_YOUNG ((uint64_t)256 << 10)
#define KEPT_CHOSEN 32u
#define KEPT_GONE 16u

struct kept {
	struct checked *header;
	uint32_t size;
	uint32_t time;   /* when it was freed: kept_at */
	stack_id stack;  /* where */
	uint32_t thread; /* thread_id, with KEPT_WHOLE */
};

#define KEPT_WHOLE UINT32_C(0x80000000) /* it was poisoned as a whole */

/* Context: init. */
void kept_start(void);

/* Whether a freed block of that size is worth keeping. */
bool kept_wanted(uint64_t size);

/* Whether all that is freed is still kept, and so to be poisoned as a whole. */
bool kept_all(void);

/* The time as kept has it. */
nsec_t kept_at(uint32_t time);

/*
 * Takes in a block that was poisoned just now; `thread` as in struct kept. Return: how many are to be let go for
 * it, which are in `ret_gone` then; the block itself may be among them.
 */
unsigned kept_put(struct checked *header, stack_id stack, uint32_t thread, struct kept ret_gone[KEPT_GONE]);

/*
 * Calls `each` with every one, with the lock held. Return: false: somebody else has it, for good.
 */
bool kept_each(void (*each)(const struct kept *block, void *data), void *data);

/* In a fork child: nobody holds the lock, and what its parent freed was by threads and stacks not known here. */
void kept_fork_child(void);

#endif
