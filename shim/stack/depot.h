/*
 * The depot: each distinct stack is written once to REC_STACKS and is known by
 * its place there from then on.
 *
 * A hash table of fixed size in private memory heads chains through the records
 * (rec_stack.next). Records are complete before the head of their chain names
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

/* Hashes grow inward: from that of the outer frames to that with one more inside. */
#define DEPOT_HASH_START UINT64_C(0x9ae16a3b2f90404f)

static inline uint64_t depot_hash(uint64_t outer, uint64_t pc)
{
	uint64_t mixed = (outer ^ pc) * UINT64_C(0x9e3779b97f4a7c15);
	return mixed ^ (mixed >> 29);
}

uint64_t depot_hash_all(const struct unwind_frame *frames, uint32_t count);

/*
 * The id of the stack of `count` frames, outermost first, whose hash is `hash`. `flags` are
 * those of rec_stack. Return: 0 where there is no room (counted as lost).
 *
 * Context: hook.
 */
stack_id depot_put(const struct unwind_frame *frames, uint32_t count, uint16_t flags, uint64_t hash);

/* Forgets all: the recording is a new one. Context: hook, in a fork child. */
void depot_fork_child(void);

#endif
