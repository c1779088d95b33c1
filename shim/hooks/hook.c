#include "hooks/hook.h"

#include "hooks/lock_misuse.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "start.h"

uint32_t hook_groups;

bool hook_track(enum hook_group group)
{
	if (UNLIKELY(!real_ready()))
		return false;
	uint32_t groups = __atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE);
	if (UNLIKELY(!(groups & group))) {
		if (groups)
			return false;
		start_shim();
		if (!(__atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE) & group))
			return false;
	}
	if (UNLIKELY(self.busy || self.guest || self.ended)) {
		/* Inside the real allocator is not a place where anything is missed, save what is released elsewhere. */
		if (self.busy % HOOK_IN_ALLOCATOR || group == HOOK_PAIR)
			__atomic_fetch_add((uint64_t *)&recording->dropped_events, 1, __ATOMIC_RELAXED);
		return false;
	}
	if (UNLIKELY(!*process_canary))
		start_fork_child();
	return true;
}

void hook_wait(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op)
{
	struct wait_for what = { .kind = kind, .handle = handle, .mode = mode, .op = op };
	hook_wait_for(hook, &what);
}

void hook_wait_for(struct hook *hook, struct wait_for *what)
{
	what->stack = hook_stack(hook);
	what->frame = hook->frame;
	wait_begin(what);
	hook->waiting = true;
	/* Alone, and about to wait for what only another thread can do: that may be the last of it. */
	if (UNLIKELY(!what->timed &&
		     (what->kind == KIND_COND || what->kind == KIND_BARRIER || what->kind == KIND_FUTEX)))
		reporter_want_now();
	else
		reporter_want();
}

NOINLINE void hook_lock_rare(struct hook *hook, enum kind kind, uint64_t handle, enum mode mode, enum op op)
{
	struct rec_thread *slot = thread_slot();
	nsec_t since = sys_monotonic_coarse();

	if (!slot || !acquire_wait(slot, kind, handle, mode, op, hook_stack(hook), hook->frame, since)) {
		hook_wait(hook, kind, handle, mode, op);
		return;
	}
	hook->waiting = true;
	hook->since = since;
	reporter_want_at(since);
}

NOINLINE void hook_unlock_rare(enum kind kind, uint64_t handle, enum op op, const void *frame)
{
	if (UNLIKELY(!hold_own(kind, handle)))
		lock_misuse_unlock(kind, handle, op, frame);
	hold_end(kind, handle, NULL);
}

void hook_lock_contended(struct hook *hook, struct contended *wait, enum kind kind, uint64_t handle,
			 enum mode mode, enum op op)
{
	stack_id stack = hook_stack(hook);
	if (UNLIKELY(recording->fork_parent) && !hold_own(kind, handle))
		lock_misuse_forked(hook, kind, handle, op);
	nsec_t since = contention_wait(wait, kind, handle, mode, op, stack);

	hook->waiting = self.slot && clock_peek() &&
			acquire_wait(self.slot, kind, handle, mode, op, stack, hook->frame, since);
	if (!hook->waiting)
		hook_lock_rare(hook, kind, handle, mode, op);
	hook->since = 0; /* the lock is taken later */
}
