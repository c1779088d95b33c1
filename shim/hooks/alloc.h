/*
 * What the C and the C++ allocation hooks share: the order of things around the
 * real call. A block is forgotten before it is really freed (afterwards another
 * thread may own the address) and learned after it was really made.
 *
 * Context: hook.
 */
#ifndef WH_HOOKS_ALLOC_H
#define WH_HOOKS_ALLOC_H

#include "base/context.h"
#include "hooks/hook.h"
#include "platform/early.h"
#include "platform/process.h"
#include "registry/allocation.h"

/* A scope in which the real allocator runs; left in order also by an exception. */
struct alloc_scope {
	char unused;
};

static inline void alloc_scope_end(struct alloc_scope *scope)
{
	(void)scope;
	self.busy -= HOOK_IN_ALLOCATOR;
}

/*
 * Whether an allocation of `size` bytes by this thread is recorded now, and with which flags; also
 * starts the shim and notices a fork. All of that has nothing to do while the gate is open.
 */
bool alloc_track_other(size_t size, unsigned *ret_flags);

/* How often a thread's allocations look at the clock, to see whether a reporter is wanted by now. */
#define ALLOC_CLOCK_EVERY 1024u

static inline enum process_gate alloc_gate_now(void)
{
	return (enum process_gate)__atomic_load_n(process_gate, __ATOMIC_ACQUIRE);
}

static inline bool alloc_gate(enum process_gate gate)
{
	return alloc_gate_now() == gate;
}

static inline bool alloc_track(size_t size, unsigned *ret_flags)
{
	*ret_flags = 0;
	if (LIKELY(alloc_gate(GATE_EXACT) && !self.busy && self.until_clock)) {
		self.until_clock--;
		return true;
	}
	if (alloc_gate(GATE_SAMPLED) && !self.busy && allocation_passed(size))
		return false;
	if (alloc_gate(GATE_OFF))
		return false;
	return alloc_track_other(size, ret_flags);
}

/*
 * Whether nothing is to be done about a block of that size but to call the real malloc: blocks are not recorded, or
 * this one is none of the sample, or it is made inside of an operator new that has seen to all. Allocators
 * that are not glibc's may take locks that a hook would see.
 */
static inline bool alloc_made_unseen(enum process_gate gate, size_t size)
{
	if (gate == GATE_SAMPLED)
		return !address_map_shared &&
		       (UNLIKELY(self.busy) ? self.busy >= HOOK_IN_ALLOCATOR : allocation_passed(size));
	return gate == GATE_OFF;
}

/* As alloc_made_unseen. */
static inline bool alloc_freed_unseen(enum process_gate gate, const void *block)
{
	if (early_owns(block))
		return false;
	if (gate == GATE_SAMPLED)
		return !address_map_shared && address_map_lacks((uintptr_t)block);
	return gate == GATE_OFF;
}

/* Hands them to the registry, where blocks are recorded. Context: init. */
void alloc_start(void);
/* The same, and for those made within another call of the allocator, or by an interrupted one. */
void alloc_untracked_other(const void *block, size_t size);

static inline void alloc_untracked(const void *block, size_t size)
{
	if (!alloc_gate(GATE_SAMPLED) && !alloc_gate(GATE_OFF))
		alloc_untracked_other(block, size);
}

/* Whether malloc is libc's, of which more is known than that it allocates. */
extern HIDDEN bool alloc_is_libc;

/* From now on blocks may lie nearer to each other than 32 bytes (address_map.h). */
void alloc_share_windows(void);

/*
 * The stack is captured before the real call: the deep calls of the unwinder then can't leave a copy
 * of the block's address behind on the stack (see allocation_hide).
 */
static inline stack_id alloc_stack(bool tracked, const void *frame)
{
	return tracked ? stack_capture(frame) : 0;
}
/* A call that gives a block back. */
struct alloc_release {
	const void *block;
	const void *frame; /* of the hook */
	size_t size;       /* of the block, as the call says; ALLOC_SIZE_UNTOLD */
	uint8_t kind;      /* enum allocation_kind: which blocks it is for */
	uint8_t op;        /* enum op */
};

#define ALLOC_SIZE_UNTOLD SIZE_MAX

/*
 * A block is about to be given back; safe at any time and anywhere, inside of the scope of the real call. Return:
 * false: it is none of the real allocator's, and not to be given to it.
 */
bool alloc_released(const struct alloc_release *how);

/* What alloc_holding found: the thread holds something, and that may lie in the block. */
void alloc_released_holding(const void *block, enum op op, const void *frame);

/* The calling thread gives a block back: is there a lock in it that it holds? One question where it holds nothing. */
static inline void alloc_holding(const void *block, enum op op, const void *frame)
{
	if (UNLIKELY(self.slot && self.slot->hold_count))
		alloc_released_holding(block, op, frame);
}

/* Runs `call` as the real allocator and records its result; `frame` is that of the hook. */
#define ALLOC_CALL(block, size, kind, frame, call) \
	void *block; \
	unsigned flags; \
	const bool tracked = alloc_track((size), &flags); \
	const stack_id stack = alloc_stack(tracked, (frame)); \
	{ \
		struct alloc_scope scope CLEANUP(alloc_scope_end) __attribute__((unused)); \
		self.busy += HOOK_IN_ALLOCATOR; \
		block = (call); \
		if (LIKELY(tracked && block)) \
			allocation_begin(allocation_hide(block), (size), (kind), stack, flags); \
		else if (!tracked && block) \
			alloc_untracked(block, (size)); \
	}

#endif
