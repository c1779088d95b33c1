/*
 * What every interposed function begins with.
 *
 *   EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
 *   {
 *           HOOK(hook, LOCK);
 *           if (!hook.track)
 *                   return real.pthread_mutex_lock(mutex);
 *           hook_wait(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_pthread_mutex_lock);
 *           int result = real.pthread_mutex_lock(mutex);
 *           hook_wait_over(&hook);
 *           if (result == 0 || result == EOWNERDEAD)
 *                   hold_begin(KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_pthread_mutex_lock, hook.stack);
 *           return result;
 *   }
 *
 * HOOK opens a scope: whatever way the function is left (return, thread
 * cancellation, C++ exception; hence -fexceptions), an open wait is ended.
 * It also makes sure that the real functions are resolved (real_ready), so that
 * `real.x` may be called: hooks run before any constructor of ours.
 *
 * A hook never changes what the program sees: the same result and errno, the
 * real call exactly once, no retry. Translate, nothing else: thinking is the
 * reporter's business.
 */
#ifndef WH_HOOKS_HOOK_H
#define WH_HOOKS_HOOK_H

#include "base/context.h"
#include "platform/real.h"
#include "registry/hold.h"
#include "registry/thread.h"
#include "registry/wait.h"
#include "stack/stack.h"

enum hook_group { HOOK_ALLOC = 1, HOOK_LOCK = 2, HOOK_PAIR = 4, HOOK_PROCESS = 8, HOOK_BLOCKING = 16 };

struct hook {
	const void *frame;
	stack_id stack; /* captured by hook_wait or hook_stack; 0: not yet, or failed */
	bool track;
	bool waiting;
};

/*
 * Added to self.busy while the real allocator runs: what it does inside (locks of jemalloc, malloc
 * under operator new) is its own business and not recorded.
 */
#define HOOK_IN_ALLOCATOR 0x10000u

/* Groups that are switched on (enum hook_group); 0 until the shim has started and where it is switched off. */
extern uint32_t hook_groups;

/*
 * Whether the calling thread's event is to be recorded. Resolves the real functions and starts
 * the shim at the first call of the process; notices an unannounced fork. Context: hook.
 */
bool hook_track(enum hook_group group);

static inline void hook_scope_end(struct hook *hook)
{
	if (UNLIKELY(hook->waiting))
		wait_end();
}

#define HOOK(name, group) \
	struct hook name CLEANUP(hook_scope_end) = { .frame = __builtin_frame_address(0), \
						     .track = hook_track(HOOK_##group) }

/* Captures the caller's stack once. */
static inline stack_id hook_stack(struct hook *hook)
{
	if (!hook->stack)
		hook->stack = stack_capture(hook->frame);
	return hook->stack;
}

/* Begins a wait from the caller's stack; for more than these fields use hook_wait_for. */
void hook_wait(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op);
void hook_wait_for(struct hook *hook, struct wait_for *what);

/* A wait that gives up by itself at some time. */
static inline void hook_wait_timed(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode,
				   enum op op)
{
	struct wait_for what = { .kind = kind, .mode = mode, .op = op, .timed = true, .handle = handle };
	hook_wait_for(hook, &what);
}

static inline void hook_wait_over(struct hook *hook)
{
	if (hook->waiting) {
		hook->waiting = false;
		wait_end();
	}
}

#endif
