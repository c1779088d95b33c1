#include "hooks/hook.h"

#include <poll.h>

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

/* Whether nothing can be read from it just now. */
static bool is_silent(uint64_t fd)
{
	struct pollfd asked = { .fd = (int)fd, .events = POLLIN };
	return !sys_sandboxed && sys_call3(SYS_poll, &asked, 1, 0) == 0;
}

/*
 * Whether it may be asleep for as long as anybody will look: who is in its first moments has no reporter thread yet, and could
 * not be asked anything from outside until it wakes. A wait for what only another thread can do may be
 * the last of it. Writes seldom wait, and programs that print a line and end are many.
 */
static bool may_last(const struct wait_for *what)
{
	if (what->kind == KIND_TIME)
		return true;
	if (what->timed)
		return false;
	switch (what->op) {
	case OP_poll:
	case OP_ppoll:
	case OP_select:
	case OP_pselect:
		return true;
	case OP_read:
	case OP_readv:
	case OP_recv:
	case OP_recvfrom:
	case OP_recvmsg:
	case OP_recvmmsg:
	case OP_accept:
	case OP_accept4:
	case OP_epoll_wait:
	case OP_epoll_pwait:
	case OP_epoll_pwait2:
		return is_silent(what->handle);
	default:
		return what->kind == KIND_COND || what->kind == KIND_BARRIER || what->kind == KIND_FUTEX ||
		       what->kind == KIND_SIGNAL || what->kind == KIND_PROCESS || what->kind == KIND_QUEUE ||
		       what->kind == KIND_FILE_LOCK;
	}
}

/* Whether there is none, and may still be one. */
static bool lacks_reporter(void)
{
	return recording &&
	       !(__atomic_load_n((uint32_t *)&recording->flags, __ATOMIC_RELAXED) & REC_REPORTER_RUNS) &&
	       !(__atomic_load_n((uint32_t *)&recording->degraded, __ATOMIC_RELAXED) & REC_NO_REPORTER);
}

void hook_may_sleep(int fd)
{
	if (UNLIKELY(lacks_reporter()) && is_silent((uint64_t)fd))
		reporter_want_now();
}

void hook_wait_for(struct hook *hook, struct wait_for *what)
{
	what->stack = hook_stack(hook);
	what->frame = hook->frame;
	what->kept = hook->kept;
	wait_begin(what);
	hook->waiting = true;
	if (UNLIKELY(lacks_reporter()) && may_last(what))
		reporter_want_now();
	else if (what->kind == KIND_FD)
		reporter_want_later(); /* perhaps a look into /proc */
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
	else
		self.slot->waits[0].kept = hook->kept;
	hook->since = 0; /* the lock is taken later */
}
