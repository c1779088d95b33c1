/*
 * Mutexes. An acquisition is a wait that ends in a hold; trylock is a hold
 * without a wait, so that it makes no edge of the lock order.
 *
 * EOWNERDEAD is a success: the caller has a robust mutex whose owner died.
 */
#include "hooks/mutex.h"

#include "hooks/hook.h"
#include "hooks/lock_misuse.h"
#include "registry/object.h"

/* What a lock call's result means for the holds. */
static inline void mutex_result(struct hook *hook, const void *mutex, enum op op, int result)
{
	uint64_t handle = (uintptr_t)mutex;

	if (LIKELY(result == 0)) {
		hook_locked(hook, KIND_MUTEX, handle, MODE_EXCLUSIVE, op);
		return;
	}
	hook_wait_over(hook);
	if (result == EOWNERDEAD) {
		hold_end(KIND_MUTEX, handle, NULL); /* the dead owner's; ours begins */
		hold_begin(KIND_MUTEX, handle, MODE_EXCLUSIVE, op, hook_stack(hook));
	} else if (result == EINVAL) {
		lock_misuse_use(KIND_MUTEX, handle, op, hook_stack(hook));
	}
}

/* Of a call that would have given up at some time: like a trylock, it makes no edge of the lock order. */
static void mutex_timed_result(struct hook *hook, const void *mutex, enum op op, int result)
{
	hook_wait_over(hook);
	mutex_result(hook, mutex, op, result);
}

static NOINLINE int lock_taken(struct hook *hook, pthread_mutex_t *mutex)
{
	HOOK_KEEP(hook);
	struct contended wait CLEANUP(contention_left) = { 0 };
	hook_lock_contended(hook, &wait, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_pthread_mutex_lock);
	int result = real.pthread_mutex_lock(mutex);
	mutex_result(hook, mutex, OP_pthread_mutex_lock, result);
	contention_over(&wait, result == 0 || result == EOWNERDEAD);
	return result;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	HOOK_HOT(hook, LOCK);
	if (UNLIKELY(!hook.track))
		return real.pthread_mutex_lock(mutex);
	if (UNLIKELY(mutex_is_taken(mutex)))
		return lock_taken(&hook, mutex);
	hook_lock(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_pthread_mutex_lock);
	int result = real.pthread_mutex_lock(mutex);
	mutex_result(&hook, mutex, OP_pthread_mutex_lock, result);
	return result;
}

EXPORT int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	HOOK_HOT(hook, LOCK);
	int result = real.pthread_mutex_trylock(mutex);
	if (hook.track)
		mutex_result(&hook, mutex, OP_pthread_mutex_trylock, result);
	return result;
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_mutex_timedlock(mutex, until);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_pthread_mutex_timedlock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (mutex_is_taken(mutex))
		hook_contended(&hook, &wait, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE,
			       OP_pthread_mutex_timedlock);
	int result = real.pthread_mutex_timedlock(mutex, until);
	mutex_timed_result(&hook, mutex, OP_pthread_mutex_timedlock, result);
	contention_over(&wait, result == 0 || result == EOWNERDEAD);
	return result;
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_mutex_clocklock(mutex, clock, until);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_pthread_mutex_clocklock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (mutex_is_taken(mutex))
		hook_contended(&hook, &wait, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE,
			       OP_pthread_mutex_clocklock);
	int result = real.pthread_mutex_clocklock(mutex, clock, until);
	mutex_timed_result(&hook, mutex, OP_pthread_mutex_clocklock, result);
	contention_over(&wait, result == 0 || result == EOWNERDEAD);
	return result;
}

/*
 * Whether the mutex's unlock can fail: recursive, error-checking, robust and
 * priority ones ask who the owner is. A plain one never does, and neither does an
 * adaptive one. The type is read out of glibc's own word, since there is no call for it.
 */
static bool mutex_checks_owner(const pthread_mutex_t *mutex)
{
	int kind = __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) & 0x7f;
	return kind != PTHREAD_MUTEX_NORMAL && kind != PTHREAD_MUTEX_ADAPTIVE_NP;
}

void mutex_release_begin(struct mutex_release *release, const pthread_mutex_t *mutex, enum op op,
			 const void *frame)
{
	uint64_t handle = (uintptr_t)mutex;

	*release = (struct mutex_release){ .handle = handle };
	if (UNLIKELY(mutex_checks_owner(mutex))) {
		const struct rec_hold *own = hold_own(KIND_MUTEX, handle);
		if (!own) {
			lock_misuse_unlock(KIND_MUTEX, handle, op, frame);
			/* Most likely refused, and then it stays with whoever has it. */
			release->later = true;
			return;
		}
		release->checked = true;
		release->op = own->op;
		release->stack = own->stack;
	}
	/* Those who spin for an adaptive one are not seen in its word. */
	hook_unlock(KIND_MUTEX, handle, op, frame, contention_anywhere());
}

void mutex_release_result(const struct mutex_release *release, bool released)
{
	if (LIKELY(!release->later && !release->checked))
		return;
	if (release->later && released)
		hold_end(KIND_MUTEX, release->handle, NULL);
	if (release->checked && !released)
		hold_begin(KIND_MUTEX, release->handle, MODE_EXCLUSIVE, release->op, release->stack);
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	if (UNLIKELY(!hook_track_hot(HOOK_LOCK)))
		return real.pthread_mutex_unlock(mutex);
	if (LIKELY(!mutex_checks_owner(mutex))) {
		hook_unlock(KIND_MUTEX, (uintptr_t)mutex, OP_pthread_mutex_unlock, __builtin_frame_address(0),
			    mutex_is_wanted(mutex));
		return real.pthread_mutex_unlock(mutex);
	}
	struct mutex_release release;
	mutex_release_begin(&release, mutex, OP_pthread_mutex_unlock, __builtin_frame_address(0));
	int result = real.pthread_mutex_unlock(mutex);
	mutex_release_result(&release, result == 0);
	return result;
}

static uint16_t mutex_attributes(const pthread_mutexattr_t *attributes)
{
	int type = 0, robust = 0, shared = 0;
	uint16_t known = 0;

	if (!attributes)
		return 0;
	if (pthread_mutexattr_gettype(attributes, &type) == 0) {
		known |= type == PTHREAD_MUTEX_RECURSIVE ? OBJECT_RECURSIVE : 0;
		known |= type == PTHREAD_MUTEX_ERRORCHECK ? OBJECT_ERRORCHECK : 0;
	}
	if (pthread_mutexattr_getrobust(attributes, &robust) == 0 && robust == PTHREAD_MUTEX_ROBUST)
		known |= OBJECT_ROBUST;
	if (pthread_mutexattr_getpshared(attributes, &shared) == 0 && shared == PTHREAD_PROCESS_SHARED)
		known |= OBJECT_SHARED;
	return known;
}

EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_MUTEX, (uintptr_t)mutex, OP_pthread_mutex_init);
	int result = real.pthread_mutex_init(mutex, attributes);
	if (hook.track && result == 0) {
		hold_forget(KIND_MUTEX, (uintptr_t)mutex);
		object_created(KIND_MUTEX, (uintptr_t)mutex, hook_stack(&hook), 0,
			       mutex_attributes(attributes));
	}
	return result;
}

EXPORT int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_destroy(&hook, KIND_MUTEX, (uintptr_t)mutex, OP_pthread_mutex_destroy);
	int result = real.pthread_mutex_destroy(mutex);
	if (hook.track && result == 0) {
		lock_misuse_destroyed(&hook, KIND_MUTEX, (uintptr_t)mutex, OP_pthread_mutex_destroy);
		hold_forget(KIND_MUTEX, (uintptr_t)mutex);
		object_destroyed(KIND_MUTEX, (uintptr_t)mutex);
	}
	return result;
}
