/*
 * The last stack that a thread captured, kept to be used again: most of the next one is the same.
 *
 * Unwinding is a function of the registers in a frame (pc, sp, and the frame pointer where somebody
 * further out needs it) and of the words that the walk outward from there reads: return
 * addresses, and frame pointers that were saved. So the frames are kept with the places
 * of these words, and are looked at again from the outermost inward: as far as all are in place, the
 * stack is intact. The walk from inside ends as soon as it comes to the state of an intact frame; from there
 * outward it would find what it found before. This is exact, whatever else the stack has been used for meanwhile.
 *
 *   frames[1]          the outermost; its place is the word below its sp, which holds its pc
 *   frames[count]      the innermost that was reached by plain calls on the thread's own stack; a
 *                      signal frame, or another stack, ends what can be kept
 *   frames[0]          a sentinel that is outside of all
 *   hashes[i]          of the frames 1 to i
 *   bps[i]             the frame pointer in frame i, up to bp_count; BP_UNUSED where, as in all frames beyond,
 *                      it makes no difference further out
 *   saved[]            places of the frame pointers that do, in the frames that saved them, outermost first
 *
 * Places are read unasked: the thread's own stack stays mapped as long as the thread is there to look.
 *
 * `count` is 0 while the rest is written, for signal handlers that leave by longjmp.
 *
 * Beside it are kept chains: the innermost frames of stacks before, each up to a frame that is among those kept then. A
 * chain whose frames are all in place, and that leads to the state of a frame that is intact, with outside of it
 * what was there when the chain was met, is the same stack as then. So a thread that goes through the same few places again
 * and again walks each way once; what it has walked stays the last stack, and is not touched where a chain is met.
 *
 * What a thread comes to by walking it has most likely come to before, if it has more ways than chains: a compiler's walks
 * find some ten thousand stacks half a million times. So the thread keeps their ids by hash, which is quicker than asking the
 * depot: the record of the id is about to be read anyway.
 */
#ifndef WH_STACK_LAST_H
#define WH_STACK_LAST_H

#include "base/context.h"
#include "stack/depot.h"
#include "stack/unwind.h"

#define LAST_MOST 640u        /* frames kept; a recursion that goes deeper drops its outer ones */
#define BP_UNUSED UINT64_C(1) /* never a frame pointer that anything is read by: they are aligned */

struct last_saved {
	const uint64_t *place;
	uint64_t value;
	uint64_t frame; /* that saved it, for the next one outside */
};

#define CHAIN_FRAMES 12u
#define CHAIN_SAVED CHAIN_FRAMES /* a frame saves one at the most */
#define CHAIN_WAYS 4u
#define CHAIN_SETS 128u

_Static_assert(CHAIN_FRAMES % 4 == 0, "they are looked at four at a time, behind the innermost");

#define LAST_IDS (64u * CHAIN_SETS) /* as long as there are few chains, as many fewer are in use */

/*
 * Places are counted in words outward from `base`. What a search costs is cache lines and instructions: it reads the
 * first line, with the places, and one or two more for the return addresses; the others only where frame pointers matter.
 */
struct last_chain {
	uint64_t base;       /* place of the return address to the innermost frame, below its sp */
	uint64_t outer_hash; /* of `from` */
	stack_id id;         /* 0: none, or being written */
	uint32_t generation;
	uint16_t from; /* of last.frames: the one that is the caller of the chain's outermost */
	uint8_t count, saved_count;
	uint8_t end; /* enum unwind_end */
	bool bp_used, outer_bp_used;
	uint16_t next;                     /* the chain that was met after this one, the last time */
	uint16_t places[1 + CHAIN_FRAMES]; /* innermost first; then that of `from`, to the end */
	uint64_t pcs[1 + CHAIN_FRAMES] __attribute__((aligned(64)));
	uint64_t outer_bp; /* of `from` */
	uint64_t bp;       /* in the innermost */
	uint16_t saved_places[CHAIN_SAVED];
	uint64_t saved[CHAIN_SAVED]; /* frame pointers */
} __attribute__((aligned(64)));

struct last {
	uint32_t count;
	uint32_t generation; /* of unwind_generation; another: nothing here is valid */
	uint32_t saved_count, bp_count;
	stack_id id;         /* of the whole stack; 0: it had frames that are not kept */
	enum unwind_end end; /* how the outermost frame ended it */
	uint32_t set_mask;   /* how many sets of chains are in use, less 1 ... */
	uint32_t chains_put; /* ... and how many were written since that was changed */
	uint32_t walks;      /* since a chain was met */
	uint16_t met;        /* the chain that was met last */
	bool same_first;     /* the last capture found nothing changed: so will the next, most likely */
	struct unwind_frame frames[LAST_MOST + WALK_MOST];
	uint64_t hashes[LAST_MOST + WALK_MOST];
	uint64_t bps[LAST_MOST + WALK_MOST];
	struct last_saved saved[LAST_MOST + WALK_MOST];
	stack_id ids[LAST_IDS];  /* by the hash of the stack; 0: none */
	uint32_t ids_generation; /* of `ids`, as above */
	uint32_t tags[CHAIN_SETS]
		     [CHAIN_WAYS]; /* what tells whether it is worth looking at the chain; 0: no */
	struct last_chain chains[CHAIN_SETS * CHAIN_WAYS];
};

/*
 * Where no chain has been met for long, the search is for now and then: nothing seems to come twice here.
 */
#define CHAINS_PATIENCE 64u
#define CHAINS_NOW_AND_THEN 16u

static inline bool last_has_chains(const struct last *last)
{
	return last->walks < CHAINS_PATIENCE || last->walks % CHAINS_NOW_AND_THEN == 0;
}

static inline uint64_t last_bp(const struct last *last, uint32_t frame)
{
	return frame <= last->bp_count ? last->bps[frame] : BP_UNUSED;
}

/* Goes up when what was captured before must not be used any more: modules went, a fork child began. */
extern HIDDEN uint32_t unwind_generation;

/* Modules are going just now, and others may lie in their places unannounced: nothing known of code may be used. */
extern HIDDEN uint32_t unwind_unloading;

#define GENERATION_NONE 0u /* of what was captured meanwhile: it is not to be used again */

/* The innermost frame that is intact; 0 (the sentinel): none. Frames below `sp` are of no interest. Context: hook. */
uint32_t last_intact(const struct last *last, uint64_t sp);

/*
 * The id of the whole stack, called from a frame with these registers, where it is the last one from the innermost
 * frame on, or a chain and from there on the last one. Return: 0: it is neither. Context: hook.
 */
stack_id last_known(struct last *last, uint64_t sp, uint64_t pc, uint64_t bp);

/*
 * Takes in what the walk found. Return: the id of the stack. Where the outer frames that are kept are too few,
 * *ret_short is set and nothing is done: walk again without them. Context: hook.
 */
stack_id last_put(struct last *last, const struct walk *walk, enum unwind_end end, bool *ret_short);

#endif
