/*
 * Walking up a stack: from the registers in one frame to those in its caller's,
 * until there is no caller.
 *
 *   unwind_walk   by packed rules: a few nanoseconds a frame; needs pc, sp and the frame pointer
 *   unwind_full   with all registers and all of CFI: where a rule is RULE_COMPLEX
 *   unwind_reference  the same by libunwind: what the other two are compared with
 *
 * The first two are pure functions of registers and memory and take no lock. They never
 * guess: where the unwind tables say nothing (code made at run time), the walk ends
 * there, and the stack is marked truncated.
 */
#ifndef WH_STACK_UNWIND_H
#define WH_STACK_UNWIND_H

#include "base/context.h"
#include "stack/bounds.h"
#include "stack/cfi.h"
#include "stack/expression.h"
#include "stack/memory.h"
#include "stack/rules.h"
#include "stack/stack.h"

/* Frames that a stack keeps at the most (the option `depth`). */
extern HIDDEN uint32_t unwind_depth;

enum unwind_end {
	UNWIND_OUTERMOST,  /* the last frame has no caller */
	UNWIND_LOST,       /* the unwind tables do not tell the way from the last frame */
	UNWIND_UNREADABLE, /* they do, but there is no memory there */
	UNWIND_FULL,       /* as many frames as wanted */
	UNWIND_COMPLEX,    /* of unwind_walk alone: unwind_full can tell */
	UNWIND_JOINED,     /* of unwind_walk alone: from here on it is the last stack */
	UNWIND_MORE,       /* of a single step: there is a caller */
};

/* A frame: the address that a callee returns to, and the stack pointer when it has. */
struct unwind_frame {
	uint64_t sp, pc;
};

/* What else is known of a frame on the way. */
struct unwind_step {
	uint64_t bp;
	rule_bits rule; /* to the caller */
};

#define WALK_SPARE \
	48u /* frames beyond the wanted ones, so that a recursion can go up and down a little (stack/last.h) */
#define WALK_MOST (STACK_MAX_FRAMES + WALK_SPARE)

struct last;

/* Where a walk is: at a frame that is not yet written. */
struct walk_state {
	uint64_t sp, pc, bp;
	bool exact; /* the frame was interrupted, pc is no return address */
	bool odd;   /* it was not reached by a plain call on the thread's own stack */
	struct reach reach;
	const struct unwind_frame *intact; /* the innermost of the last stack that it may come to */
};

/*
 * A walk and its room. Frames are written from the end of the array towards its start, so that those
 * from `first` on are the stack, outermost first.
 */
struct walk {
	struct bounds *bounds; /* of the thread's own stack; others are asked for page by page */
	struct last *last;     /* the stack before; NULL: it may not be used */
	uint32_t generation;   /* of unwind_generation, when the walk began; GENERATION_NONE */
	uint32_t limit;        /* frames wanted, WALK_MOST at the most */
	uint32_t first;
	uint32_t joined; /* number of the frame of `last` that is the caller of the first; 0: none */
	uint32_t plain;  /* frames below this index were reached by plain calls on the thread's own stack */
	bool bp_used;    /* some rule needed the frame pointer */
	struct walk_state now;
	struct cfi cfi;
	struct unwind_frame frames[WALK_MOST];
	struct unwind_step steps[WALK_MOST];
};

/*
 * Fills walk->frames from the caller of the function whose frame address is `frame` on, as far as it is
 * not the same as in `last`.
 * Context: hook.
 */
enum unwind_end unwind_walk(struct walk *walk, const void *frame);

/*
 * The same with all callee-saved registers: they are known only here, so it begins with the
 * frame of this very function and leaves out all up to `frame`.
 * Context: hook.
 */
enum unwind_end unwind_full(struct walk *walk, const void *frame);

/*
 * One step with what is known of the registers. Return: UNWIND_MORE with registers and *exact
 * those of the caller; UNWIND_OUTERMOST; UNWIND_LOST.
 * Context: hook.
 */
enum unwind_end unwind_step(struct cfi *cfi, struct registers *registers, bool *exact, struct reach *reach);

/*
 * Loads libunwind, which is needed for comparisons alone. Return: 0, or -ENOENT: it is not installed.
 * Context: init.
 */
int unwind_reference_load(void);

/*
 * The frames of the caller of the function with the frame address `frame`, innermost first, by libunwind.
 * *ret_count is how many; 0: it is not loaded, or does not come past the library's own frames. Context: hook where
 * comparisons are wanted: it needs kilobytes of stack and takes locks. self.busy must keep handlers from coming here.
 */
enum unwind_end unwind_reference(const void *frame, uint64_t *pcs, uint32_t limit, uint32_t *ret_count);

/* In a fork child. Comparisons go on there only where none was going on in another thread. Context: hook. */
void unwind_reference_fork_child(void);

#endif
