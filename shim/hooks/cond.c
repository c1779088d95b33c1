#include "hooks/cond.h"

#include "hooks/lock_misuse.h"
#include "registry/object.h"
#include "registry/order.h"
#include "registry/signalled.h"

struct cond_wait cond_wait_begin(struct hook *hook, const void *cond, const void *mutex, enum op op,
				 bool timed)
{
	struct cond_wait wait = { .hook = hook, .mutex = (uintptr_t)mutex, .op = (uint16_t)op };
	struct wait_for what = { .kind = KIND_COND,
				 .op = op,
				 .timed = timed,
				 .handle = (uintptr_t)cond,
				 .handle2 = (uintptr_t)mutex };

	const struct rec_hold *own = hold_own(KIND_MUTEX, wait.mutex);
	if (UNLIKELY(!own))
		lock_misuse_wait(hook, what.handle, wait.mutex, op);
	if (UNLIKELY(cond_is_destroyed(cond)))
		lock_misuse_use(KIND_COND, what.handle, op, hook_stack(hook));
	hook_wait_for(hook, &what);
	/* A recursive one that is held twice is given up once, and stays with us. */
	wait.parked = own && own->count == 1;
	if (LIKELY(wait.parked))
		hold_park(KIND_MUTEX, wait.mutex);
	return wait;
}

void cond_wait_end(struct cond_wait *wait)
{
	hook_wait_over(wait->hook);
	if (LIKELY(wait->parked)) {
		hold_unpark(KIND_MUTEX, wait->mutex);
		if (UNLIKELY(self.slot && self.slot->hold_count > 1 && !self.busy))
			order_again(self.slot, wait->mutex,
				    &(struct order_how){ .stack = wait->hook->stack, .op = wait->op });
	}
	if (LIKELY(wait->result != EOWNERDEAD && wait->result != ENOTRECOVERABLE))
		return;
	/* A robust mutex, taken from a dead owner, whose hold is over, or gone for good. */
	const struct rec_hold *own = hold_own(KIND_MUTEX, wait->mutex);
	enum op op = own ? own->op : OP_none;
	stack_id stack = own ? own->stack : 0;
	hold_forget(KIND_MUTEX, wait->mutex);
	if (own && wait->result == EOWNERDEAD)
		hold_begin(KIND_MUTEX, wait->mutex, MODE_EXCLUSIVE, op, stack);
}

void cond_signal(struct hook *hook, const void *cond, enum op op)
{
	if (!hook->track)
		return;
	if (UNLIKELY(cond_is_destroyed(cond)))
		lock_misuse_use(KIND_COND, (uintptr_t)cond, op, hook_stack(hook));
	if (signalled_wanted())
		signalled_note(KIND_COND, (uintptr_t)cond, op, hook_stack(hook));
}

EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_cond_wait(cond, mutex);
	HOOK_KEEP(&hook);
	struct cond_wait wait CLEANUP(cond_wait_end) =
	    cond_wait_begin(&hook, cond, mutex, OP_pthread_cond_wait, false);
	wait.result = real.pthread_cond_wait(cond, mutex);
	return wait.result;
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_cond_timedwait(cond, mutex, until);
	HOOK_KEEP(&hook);
	struct cond_wait wait CLEANUP(cond_wait_end) =
	    cond_wait_begin(&hook, cond, mutex, OP_pthread_cond_timedwait, true);
	wait.result = real.pthread_cond_timedwait(cond, mutex, until);
	return wait.result;
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_cond_clockwait(cond, mutex, clock, until);
	HOOK_KEEP(&hook);
	struct cond_wait wait CLEANUP(cond_wait_end) =
	    cond_wait_begin(&hook, cond, mutex, OP_pthread_cond_clockwait, true);
	wait.result = real.pthread_cond_clockwait(cond, mutex, clock, until);
	return wait.result;
}

/*
 * Of these two it is recorded who called last. The name has two versions with different ideas of what a
 * pthread_cond_t is, and all of the family must be of the one that our waits go to.
 */
EXPORT int pthread_cond_signal(pthread_cond_t *cond)
{
	HOOK_HOT(hook, LOCK);
	cond_signal(&hook, cond, OP_pthread_cond_signal);
	return real.pthread_cond_signal(cond);
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *cond)
{
	HOOK_HOT(hook, LOCK);
	cond_signal(&hook, cond, OP_pthread_cond_broadcast);
	return real.pthread_cond_broadcast(cond);
}

EXPORT int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_COND, (uintptr_t)cond, OP_pthread_cond_init);
	int result = real.pthread_cond_init(cond, attributes);
	signalled_forget((uintptr_t)cond);
	if (hook.track && result == 0) {
		int shared = 0;
		if (attributes)
			pthread_condattr_getpshared(attributes, &shared);
		object_created(KIND_COND, (uintptr_t)cond, hook_stack(&hook), 0,
			       shared == PTHREAD_PROCESS_SHARED ? OBJECT_SHARED : 0);
	}
	return result;
}

EXPORT int pthread_cond_destroy(pthread_cond_t *cond)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_cond_destroy(cond);
	lock_misuse_destroy(&hook, KIND_COND, (uintptr_t)cond, OP_pthread_cond_destroy);
	/* Blocks until the last woken waiter has left. */
	hook_wait(&hook, KIND_COND, (uintptr_t)cond, MODE_NONE, OP_pthread_cond_destroy);
	int result = real.pthread_cond_destroy(cond);
	hook_wait_over(&hook);
	if (result == 0) {
		lock_misuse_destroyed(&hook, KIND_COND, (uintptr_t)cond, OP_pthread_cond_destroy);
		object_destroyed(KIND_COND, (uintptr_t)cond);
		signalled_forget((uintptr_t)cond);
	}
	return result;
}
