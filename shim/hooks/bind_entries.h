/*
 * Entry points that stand in for functions which are known by name alone, at run time: what a word of a module's global
 * offset table is made to point at. A pool of them is part of our code, so nothing is generated and no page
 * needs to be both written and executed.
 *
 *   BIND_TAIL   looks at the arguments and jumps: for the real function our caller is its caller
 *   BIND_CALL   calls the real function and looks at its result. Arguments in registers (also vectors of any
 *               width) are passed on as they came, those on the stack are copied, BIND_STACK_BYTES of them; the result is
 *               returned as it is, in whatever registers. Exceptions, cancellation and longjmp pass through:
 *               the frame is an ordinary one with unwind tables and nothing to clean up.
 *
 *        caller ──▶ entry: r11 = &bind_table[i] ──▶ route ──▶ bind_before ──▶ real function ──▶ bind_after
 */
#ifndef WH_HOOKS_BIND_ENTRIES_H
#define WH_HOOKS_BIND_ENTRIES_H

#include "base/context.h"
#include "base/types.h"

#define BIND_ENTRIES 1024u    /* functions that can be bound at a time */
#define BIND_STACK_BYTES 256u /* of arguments on the stack: 32 words */

enum bind_flag { BIND_BEFORE = 1 /* of a BIND_CALL: look at the arguments too */ };

/* The code below knows its layout. */
struct bound {
	void *target;   /* the real function */
	void *route;    /* bind_tail or bind_call */
	void *function; /* whose it is; NULL: the entry is free */
	uint32_t flags; /* enum bind_flag */
	uint32_t spare;
};

/* What the code below keeps of a call; in its own frame. */
struct bound_call {
	uint64_t arguments[6];
	uint64_t result; /* rax; in bind_before what a variadic call has there */
	uint64_t result2;
	struct bound *bound;
	uint64_t chain; /* r10 */
	uint32_t vectors, spare;
	struct {
		uint64_t handle, identity;
	} noted[2]; /* from bind_before for bind_after */
	uint64_t spare2;
};

extern HIDDEN struct bound bind_table[BIND_ENTRIES];

/* The routes, and the entry of bind_table[0]; those of the others follow, BIND_ENTRY_BYTES apart. */
#define BIND_ENTRY_BYTES 16u
void bind_tail(void);
void bind_call(void);
void bind_entry_first(void);

static inline uint64_t bind_entry(const struct bound *bound)
{
	return (uintptr_t)bind_entry_first + (uint64_t)(bound - bind_table) * BIND_ENTRY_BYTES;
}

/* Whether `address` is an entry. */
static inline bool bind_is_entry(uint64_t address)
{
	return address - (uintptr_t)bind_entry_first < (uint64_t)BIND_ENTRIES * BIND_ENTRY_BYTES;
}

/* How it is known which vectors are wider than 128 bits: none can be; the processor is asked; by what is in them, up to 256 or 512 bits. */
enum bind_vectors { BIND_XMM, BIND_ASK, BIND_YMM, BIND_ZMM };
extern HIDDEN uint8_t bind_vectors;

/* Finds out which of them is best on this processor. Before the first entry is used. Context: init. */
void bind_entries_init(void);

/*
 * Defined by whoever fills the table. `frame` is the frame pointer of our caller's call, for stack_capture. bind_before
 * returns where a BIND_TAIL goes on. Context: hook.
 */
void *bind_before(struct bound *bound, struct bound_call *call, const void *frame);
void bind_after(struct bound *bound, struct bound_call *call, const void *frame);

#endif
