/*
 * The depot: each distinct stack is written once to REC_STACKS and is known by
 * its place there from then on.
 *
 * Two hash tables of fixed size in private memory, a small one and, where that is full, a large one, head
 * chains through the records (rec_stack.next). Records are complete before the head of their chain names
 * them, and never move, change or go away; so a reader takes no lock, and a
 * writer puts a record in front of its chain by compare-and-swap. Who loses that
 * race looks at what came in front meanwhile: the winner may have written the same
 * stack. His own record is left behind, unnamed, and harms nobody.
 *
 * Two stacks are one where all frames and flags are equal and mean the same: one
 * captured in an earlier epoch is taken where none of the modules in it went away since.
 */
#ifndef WH_STACK_DEPOT_H
#define WH_STACK_DEPOT_H

#include "base/context.h"
#include "base/hash.h"
#include "base/types.h"

struct unwind_frame;

/*
 * Hashes grow inward: a polynomial in the return addresses, so that the hash of the inner frames alone
 * comes out of two of them.
 */
#define DEPOT_HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t depot_hash(uint64_t outer, uint64_t pc)
{
	return outer * DEPOT_HASH_FACTOR + (pc ^ pc >> 21);
}

/* The hash of the innermost `count` frames of a stack whose hash is `all`; without them it is `outer`. */
static inline uint64_t depot_hash_within(uint64_t all, uint64_t outer, uint32_t count)
{
	if (LIKELY(!outer))
		return all;
	uint64_t power = 1, factor = DEPOT_HASH_FACTOR;
	for (; count; count >>= 1, factor *= factor)
		if (count & 1)
			power *= factor;
	return all - outer * power;
}

uint64_t depot_hash_all(const struct unwind_frame *frames, uint32_t count);

/*
 * The id of the stack of `count` frames, outermost first, whose hash is `hash`. `flags` are
 * those of rec_stack. Return: 0 where there is no room (counted as lost).
 *
 * Context: hook.
 */
stack_id depot_put(const struct unwind_frame *frames, uint32_t count, uint16_t flags, uint64_t hash);

/*
 * Whether `id`, which is one of this recording, is the id of that stack. The innermost `certain` frames are compared; of the
 * others the hash, as where a chain is met (stack/last.h). Return: also false where depot_put would
 * have to look closer. Context: hook.
 */
bool depot_holds(stack_id id, const struct unwind_frame *frames, uint32_t count, uint32_t certain,
		 uint16_t flags, uint64_t hash);

/* Forgets all: the recording is a new one. Context: hook, in a fork child. */
void depot_fork_child(void);

#endif
