/* Spin locks: the same as mutexes, save that a waiter is seen running. */
#include "hooks/hook.h"
#include "hooks/lock_misuse.h"

#include "registry/object.h"

static inline uint64_t spin_handle(pthread_spinlock_t *lock)
{
	return (uintptr_t)(const volatile void *)lock;
}

/* Read out of glibc's own word: on x86 1 is free and what is below is taken, elsewhere 0 is free. */
static bool spin_is_taken(pthread_spinlock_t *lock)
{
	int word = __atomic_load_n(lock, __ATOMIC_RELAXED);
#if defined(__x86_64__) || defined(__i386__)
	return word <= 0;
#else
	return word != 0;
#endif
}

static NOINLINE int lock_taken(struct hook *hook, pthread_spinlock_t *lock)
{
	struct contended wait CLEANUP(contention_left) = { 0 };
	hook_lock_contended(hook, &wait, KIND_SPIN, spin_handle(lock), MODE_EXCLUSIVE, OP_pthread_spin_lock);
	int result = real.pthread_spin_lock(lock);
	if (LIKELY(result == 0))
		hook_locked(hook, KIND_SPIN, spin_handle(lock), MODE_EXCLUSIVE, OP_pthread_spin_lock);
	else
		hook_wait_over(hook);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_spin_lock(pthread_spinlock_t *lock)
{
	HOOK_HOT(hook, LOCK);
	if (UNLIKELY(!hook.track))
		return real.pthread_spin_lock(lock);
	if (UNLIKELY(spin_is_taken(lock)))
		return lock_taken(&hook, lock);
	hook_lock(&hook, KIND_SPIN, spin_handle(lock), MODE_EXCLUSIVE, OP_pthread_spin_lock);
	int result = real.pthread_spin_lock(lock);
	if (LIKELY(result == 0))
		hook_locked(&hook, KIND_SPIN, spin_handle(lock), MODE_EXCLUSIVE, OP_pthread_spin_lock);
	else
		hook_wait_over(&hook);
	return result;
}

EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock)
{
	HOOK(hook, LOCK);
	int result = real.pthread_spin_trylock(lock);
	if (hook.track && result == 0)
		hold_begin(KIND_SPIN, spin_handle(lock), MODE_EXCLUSIVE, OP_pthread_spin_trylock,
			   hook_stack(&hook));
	return result;
}

EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	if (LIKELY(hook_track_hot(HOOK_LOCK)))
		/* Before: afterwards another thread may have it. */
		hook_unlock(KIND_SPIN, spin_handle(lock), OP_pthread_spin_unlock, __builtin_frame_address(0),
			    contention_anywhere());
	return real.pthread_spin_unlock(lock);
}

EXPORT int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_SPIN, spin_handle(lock), OP_pthread_spin_init);
	int result = real.pthread_spin_init(lock, shared);
	if (hook.track && result == 0) {
		hold_forget(KIND_SPIN, spin_handle(lock));
		object_created(KIND_SPIN, spin_handle(lock), hook_stack(&hook), 0,
			       shared == PTHREAD_PROCESS_SHARED ? OBJECT_SHARED : 0);
	}
	return result;
}

EXPORT int pthread_spin_destroy(pthread_spinlock_t *lock)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_destroy(&hook, KIND_SPIN, spin_handle(lock), OP_pthread_spin_destroy);
	int result = real.pthread_spin_destroy(lock);
	if (hook.track && result == 0) {
		hold_forget(KIND_SPIN, spin_handle(lock));
		object_destroyed(KIND_SPIN, spin_handle(lock));
	}
	return result;
}
