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
#include "platform/process.h"
#include "platform/real.h"
#include "registry/acquire.h"
#include "registry/contention.h"
#include "registry/hold.h"
#include "registry/thread.h"
#include "registry/wait.h"
#include "stack/stack.h"

enum hook_group {
	HOOK_ALLOC = 1,
	HOOK_LOCK = 2,
	HOOK_PAIR = 4,
	HOOK_PROCESS = 8,
	HOOK_BLOCKING = 16,
	HOOK_MAPPING = 32,
};

struct hook {
	const void *frame;
	stack_id stack; /* captured by hook_wait or hook_stack; 0: not yet, or failed */
	nsec_t since;   /* of hook_lock: now, if that is known; else 0 */
	bool track;
	bool waiting;
	bool kept; /* hook_keep was called */
};

/*
 * Added to self.busy while the real allocator runs: what it does inside (locks of jemalloc, malloc
 * under operator new) is its own business and not recorded.
 */
#define HOOK_IN_ALLOCATOR SELF_IN_ALLOCATOR

/* Groups that are switched on (enum hook_group); 0 until the shim has started and where it is switched off. */
extern HIDDEN uint32_t hook_groups;

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

/*
 * hook_track for hot paths, in line where the answer is yes, or the group is off: who has a slot is no guest and has not
 * ended, and where groups are switched on the real functions are known. A slot is the calling thread's
 * own as long as the canary lives, since whatever makes a fork child's canary anew changes the slot too.
 */
static inline bool hook_track_hot(enum hook_group group)
{
	uint32_t groups = __atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE);
	if (LIKELY(groups & group)) {
		if (LIKELY(self.slot && !self.busy && *process_canary))
			return true;
	} else if (groups) {
		return false;
	}
	return hook_track(group);
}

#define HOOK_HOT(name, group) \
	struct hook name CLEANUP(hook_scope_end) = { .frame = __builtin_frame_address(0), \
						     .track = hook_track_hot(HOOK_##group) }

/* Captures the caller's stack once. */
static inline stack_id hook_stack(struct hook *hook)
{
	if (!hook->stack)
		hook->stack = stack_capture(hook->frame);
	return hook->stack;
}

/* The registers that a function must preserve for its caller. */
struct hook_kept {
	uint64_t registers[6];
};

/* As long as the scope lasts nothing else is put in its place. */
static inline void hook_kept_end(struct hook_kept *kept)
{
	__asm__ volatile("" : : "m"(*kept));
}

/*
 * Puts what the caller has in registers on the stack, so that who searches that for pointers while the thread sleeps
 * need not stop it for them. `kept` is the hook's own, in a scope that does not end before the wait: what the hook has already
 * saved of a register lies in its frame, what it has not is still in place.
 */
static inline __attribute__((always_inline)) void hook_keep(struct hook *hook, struct hook_kept *kept)
{
	__asm__ volatile("mov %%rbx, 0(%1)\n\t"
			 "mov %%rbp, 8(%1)\n\t"
			 "mov %%r12, 16(%1)\n\t"
			 "mov %%r13, 24(%1)\n\t"
			 "mov %%r14, 32(%1)\n\t"
			 "mov %%r15, 40(%1)"
			 : "=m"(*kept)
			 : "r"(kept->registers));
	hook->kept = true;
}

/* The same in one, for the function that waits itself. */
#define HOOK_KEEP(hook) \
	struct hook_kept hook_kept CLEANUP(hook_kept_end); \
	hook_keep(hook, &hook_kept)

/* Begins a wait from the caller's stack; for more than these fields use hook_wait_for. */
void hook_wait(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op);
void hook_wait_for(struct hook *hook, struct wait_for *what);

/* The thread may be about to sleep until something can be read from `fd`, in a way that is no wait of ours. Keeps errno. */
void hook_may_sleep(int fd);

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

/* -- locks ----------------------------------------------------------------- */

/* For hook_lock: without a published clock, or within another wait. */
void hook_lock_rare(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op);

/* Begins the wait for a lock, which hook_locked or hook_wait_over ends. */
static inline void hook_lock(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op)
{
	struct rec_thread *slot = self.slot;
	nsec_t since = clock_peek();
	stack_id stack = hook_stack(hook);

	hook->waiting =
	    LIKELY(slot && since) && acquire_wait(slot, kind, handle, mode, op, stack, hook->frame, since);
	if (UNLIKELY(!hook->waiting))
		hook_lock_rare(hook, kind, handle, mode, op);
}

/*
 * The same for one that seems to be taken, so that a clock costs nothing beside what is to come. What seems so decides
 * about nothing else. `wait` has the cleanup contention_left, and contention_over follows hook_locked or hook_wait_over.
 */
void hook_lock_contended(struct hook *hook, struct contended *wait, enum kind kind, uint64_t handle,
			 enum mode mode, enum op op);
/* For a wait that the hook has begun by other means. */
static inline void hook_contended(struct hook *hook, struct contended *wait, enum kind kind, uint64_t handle,
				  enum mode mode, enum op op)
{
	contention_wait(wait, kind, handle, mode, op, hook_stack(hook));
}

/* The lock is ours: the wait becomes a hold. */
static inline void hook_locked(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op)
{
	if (LIKELY(self.slot && hook->waiting &&
		   acquire_hold(self.slot, kind, handle, mode, op, hook->stack, hook->since))) {
		hook->waiting = false;
		return;
	}
	hook_wait_over(hook);
	hold_begin(kind, handle, mode, op, hook_stack(hook));
}

/* For hook_unlock: one that is not the thread's newest hold, or none of its holds at all. */
void hook_unlock_rare(enum kind kind, uint64_t handle, enum op op, const void *frame);

/* The calling thread is about to give a lock back. `frame` is that of the hook. `wanted`: somebody seems to wait for it. */
static inline void hook_unlock(enum kind kind, uint64_t handle, enum op op, const void *frame, bool wanted)
{
	if (UNLIKELY(wanted || !self.slot || !acquire_end(self.slot, kind, handle)))
		hook_unlock_rare(kind, handle, op, frame);
}

#endif
