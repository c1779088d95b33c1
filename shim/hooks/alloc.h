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
#include "registry/allocation.h"

/* A scope in which the real allocator runs; left in order also by an exception. */
struct alloc_scope {
	bool outermost;
};

static inline void alloc_scope_end(struct alloc_scope *scope)
{
	(void)scope;
	self.busy -= HOOK_IN_ALLOCATOR;
}

/*
 * Whether an allocation of `size` bytes by this thread is recorded now, and with which flags; also
 * starts the shim and notices a fork.
 */
bool alloc_track(size_t size, unsigned *ret_flags);

/* For blocks made before the shim runs, in a small table: they are known, as roots, from its start. */
void alloc_before_start(const void *block, size_t size);
/* Hands them to the registry. Context: init. */
void alloc_start(void);

/*
 * The stack is captured before the real call: the deep calls of the unwinder then can't leave a copy
 * of the block's address behind on the stack (see allocation_hide).
 */
static inline stack_id alloc_stack(bool tracked, const void *frame)
{
	return tracked ? stack_capture(frame) : 0;
}
/* `block` is about to be freed; safe at any time and anywhere. */
void alloc_freed(void *block);

/* Runs `call` as the real allocator and records its result. */
#define ALLOC_CALL(block, size, kind, call) \
	void *block; \
	unsigned flags; \
	const bool tracked = alloc_track((size), &flags); \
	const stack_id stack = alloc_stack(tracked, __builtin_frame_address(0)); \
	{ \
		struct alloc_scope scope CLEANUP(alloc_scope_end) \
		    __attribute__((unused)) = { .outermost = tracked }; \
		self.busy += HOOK_IN_ALLOCATOR; \
		block = (call); \
	} \
	if (tracked && block) \
		allocation_begin(allocation_hide(block), (size), (kind), stack, flags); \
	else if (UNLIKELY(!hook_groups) && block) \
	alloc_before_start(block, (size))

#endif
