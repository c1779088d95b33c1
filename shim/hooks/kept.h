/*
 * Freed blocks that are kept back, poisoned, under the option check=heap, so that what is written into them is seen
 * when they are let go.
 *
 * Each of them is memory that the program uses afresh instead of what lies in the caches, and a hole that its neighbours
 * don't grow together over; that costs many times what guarding blocks does. So a process that frees little keeps all of it, up to
 * the option check_kept. Of what one frees after that it keeps the first KEPT_RARE blocks of each site, and of all others one in
 * KEPT_CHOSEN, by chance: KEPT_RUN blocks in a row, since what is freed together mostly lies together, and makes one hole then.
 * So what a program does seldom is kept, and not driven out by what it does all the time; and what it does
 * wrong all the time is found before long. Of large blocks only the ends are poisoned from then on.
 *
 * What is known of them is in a ring of this library's own, where no stray write of the program comes upon it.
 *
 * Context: hook.
 */
#ifndef WH_HOOKS_KEPT_H
#define WH_HOOKS_KEPT_H

#include "hooks/checked.h"

/* Chosen somewhat arbitrarily. */
#define KEPT_RARE 8u
#define KEPT_CHOSEN 256u
#define KEPT_RUN 128u

#define KEPT_GONE 16u

struct kept {
	struct checked *header;
	uint32_t size;
	uint32_t time;   /* when it was freed: kept_at */
	stack_id stack;  /* where */
	uint32_t thread; /* thread_id, with KEPT_WHOLE */
};

#define KEPT_WHOLE UINT32_C(0x80000000) /* it was poisoned as a whole */

/* Whether to keep a freed block of that size, from that site (0: unknown): not the same answer each time. */
bool kept_wanted(uint64_t size, site_id site);

/* Whether all that is freed is still kept, and so to be poisoned as a whole. */
bool kept_all(void);

/* The time as kept has it. */
nsec_t kept_at(uint32_t time);

/*
 * Takes in a block of `size` bytes that was poisoned just now; `thread` as in struct kept. Return: how many are to be let
 * go for it, which are in `ret_gone` then; the block itself may be among them.
 */
unsigned kept_put(struct checked *header, uint64_t size, stack_id stack, uint32_t thread,
		  struct kept ret_gone[KEPT_GONE]);

/*
 * Calls `each` with every one, with the lock held. Return: false: somebody else has it, for good.
 */
bool kept_each(void (*each)(const struct kept *block, void *data), void *data);

/* In a fork child: nobody holds the lock, and what its parent freed was by threads and stacks not known here. */
void kept_fork_child(void);

#endif
