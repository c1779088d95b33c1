/*
 * Readers-writer locks: every reader is a holder. An unlock does not say whether
 * it was a reader's or the writer's: the hold knows.
 */
#include "hooks/hook.h"
#include "hooks/lock_misuse.h"

#include "registry/destroyed.h"
#include "registry/object.h"

static inline void rwlock_result(struct hook *hook, const pthread_rwlock_t *lock, enum mode mode, enum op op,
				 int result)
{
	if (LIKELY(result == 0))
		hook_locked(hook, KIND_RWLOCK, (uintptr_t)lock, mode, op);
	else
		hook_wait_over(hook);
}

/* Of a call that would have given up at some time: like a trylock, it makes no edge of the lock order. */
static void rwlock_timed_result(struct hook *hook, const pthread_rwlock_t *lock, enum mode mode, enum op op,
				int result)
{
	hook_wait_over(hook);
	rwlock_result(hook, lock, mode, op, result);
}

/* In glibc's word of readers: a writer has it; and the readers, from this bit on. */
#define WRITER_HAS_IT 2u
#define ONE_READER 8u

/* Whether a reader / a writer would have to wait, as glibc's own words have it. */
static bool readers_wait(const pthread_rwlock_t *lock)
{
	return __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) ||
	       (__atomic_load_n(&lock->__data.__writers, __ATOMIC_RELAXED) &&
		lock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
}

static bool writers_wait(const pthread_rwlock_t *lock)
{
	unsigned readers = __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
	return readers & WRITER_HAS_IT || readers >= ONE_READER;
}

/* Whether somebody waits for what a reader or the writer has: writers, or readers behind a writer. */
static bool is_wanted(const pthread_rwlock_t *lock)
{
	return __atomic_load_n(&lock->__data.__writers, __ATOMIC_RELAXED) ||
	       (__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) &&
		__atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED) >= ONE_READER);
}

/* libc knows nothing of a lock that is destroyed: all it costs is this word, as long as none was. */
ALWAYS_INLINE void note_use(struct hook *hook, const pthread_rwlock_t *lock, enum op op)
{
	if (UNLIKELY(atomic_load_explicit(&destroyed_rwlocks, memory_order_relaxed)) &&
	    UNLIKELY(destroyed_maybe((uintptr_t)lock)))
		lock_misuse_use(KIND_RWLOCK, (uintptr_t)lock, op, hook_stack(hook));
}

static NOINLINE int rdlock_taken(struct hook *hook, pthread_rwlock_t *lock)
{
	HOOK_KEEP(hook);
	struct contended wait CLEANUP(contention_left) = { 0 };
	hook_lock_contended(hook, &wait, KIND_RWLOCK, (uintptr_t)lock, MODE_SHARED, OP_pthread_rwlock_rdlock);
	int result = real.pthread_rwlock_rdlock(lock);
	rwlock_result(hook, lock, MODE_SHARED, OP_pthread_rwlock_rdlock, result);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	HOOK_HOT(hook, LOCK);
	if (UNLIKELY(!hook.track))
		return real.pthread_rwlock_rdlock(lock);
	note_use(&hook, lock, OP_pthread_rwlock_rdlock);
	if (UNLIKELY(readers_wait(lock)))
		return rdlock_taken(&hook, lock);
	hook_lock(&hook, KIND_RWLOCK, (uintptr_t)lock, MODE_SHARED, OP_pthread_rwlock_rdlock);
	int result = real.pthread_rwlock_rdlock(lock);
	rwlock_result(&hook, lock, MODE_SHARED, OP_pthread_rwlock_rdlock, result);
	return result;
}

static NOINLINE int wrlock_taken(struct hook *hook, pthread_rwlock_t *lock)
{
	HOOK_KEEP(hook);
	struct contended wait CLEANUP(contention_left) = { 0 };
	hook_lock_contended(hook, &wait, KIND_RWLOCK, (uintptr_t)lock, MODE_EXCLUSIVE,
			    OP_pthread_rwlock_wrlock);
	int result = real.pthread_rwlock_wrlock(lock);
	rwlock_result(hook, lock, MODE_EXCLUSIVE, OP_pthread_rwlock_wrlock, result);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	HOOK_HOT(hook, LOCK);
	if (UNLIKELY(!hook.track))
		return real.pthread_rwlock_wrlock(lock);
	note_use(&hook, lock, OP_pthread_rwlock_wrlock);
	if (UNLIKELY(writers_wait(lock)))
		return wrlock_taken(&hook, lock);
	hook_lock(&hook, KIND_RWLOCK, (uintptr_t)lock, MODE_EXCLUSIVE, OP_pthread_rwlock_wrlock);
	int result = real.pthread_rwlock_wrlock(lock);
	rwlock_result(&hook, lock, MODE_EXCLUSIVE, OP_pthread_rwlock_wrlock, result);
	return result;
}

EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
	HOOK(hook, LOCK);
	if (hook.track)
		note_use(&hook, lock, OP_pthread_rwlock_tryrdlock);
	int result = real.pthread_rwlock_tryrdlock(lock);
	if (hook.track)
		rwlock_result(&hook, lock, MODE_SHARED, OP_pthread_rwlock_tryrdlock, result);
	return result;
}

EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
	HOOK(hook, LOCK);
	if (hook.track)
		note_use(&hook, lock, OP_pthread_rwlock_trywrlock);
	int result = real.pthread_rwlock_trywrlock(lock);
	if (hook.track)
		rwlock_result(&hook, lock, MODE_EXCLUSIVE, OP_pthread_rwlock_trywrlock, result);
	return result;
}

EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_rwlock_timedrdlock(lock, until);
	note_use(&hook, lock, OP_pthread_rwlock_timedrdlock);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_RWLOCK, (uintptr_t)lock, MODE_SHARED, OP_pthread_rwlock_timedrdlock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (readers_wait(lock))
		hook_contended(&hook, &wait, KIND_RWLOCK, (uintptr_t)lock, MODE_SHARED,
			       OP_pthread_rwlock_timedrdlock);
	int result = real.pthread_rwlock_timedrdlock(lock, until);
	rwlock_timed_result(&hook, lock, MODE_SHARED, OP_pthread_rwlock_timedrdlock, result);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_rwlock_timedwrlock(lock, until);
	note_use(&hook, lock, OP_pthread_rwlock_timedwrlock);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_RWLOCK, (uintptr_t)lock, MODE_EXCLUSIVE, OP_pthread_rwlock_timedwrlock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (writers_wait(lock))
		hook_contended(&hook, &wait, KIND_RWLOCK, (uintptr_t)lock, MODE_EXCLUSIVE,
			       OP_pthread_rwlock_timedwrlock);
	int result = real.pthread_rwlock_timedwrlock(lock, until);
	rwlock_timed_result(&hook, lock, MODE_EXCLUSIVE, OP_pthread_rwlock_timedwrlock, result);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_rwlock_clockrdlock(lock, clock, until);
	note_use(&hook, lock, OP_pthread_rwlock_clockrdlock);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_RWLOCK, (uintptr_t)lock, MODE_SHARED, OP_pthread_rwlock_clockrdlock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (readers_wait(lock))
		hook_contended(&hook, &wait, KIND_RWLOCK, (uintptr_t)lock, MODE_SHARED,
			       OP_pthread_rwlock_clockrdlock);
	int result = real.pthread_rwlock_clockrdlock(lock, clock, until);
	rwlock_timed_result(&hook, lock, MODE_SHARED, OP_pthread_rwlock_clockrdlock, result);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_rwlock_clockwrlock(lock, clock, until);
	note_use(&hook, lock, OP_pthread_rwlock_clockwrlock);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_RWLOCK, (uintptr_t)lock, MODE_EXCLUSIVE, OP_pthread_rwlock_clockwrlock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (writers_wait(lock))
		hook_contended(&hook, &wait, KIND_RWLOCK, (uintptr_t)lock, MODE_EXCLUSIVE,
			       OP_pthread_rwlock_clockwrlock);
	int result = real.pthread_rwlock_clockwrlock(lock, clock, until);
	rwlock_timed_result(&hook, lock, MODE_EXCLUSIVE, OP_pthread_rwlock_clockwrlock, result);
	contention_over(&wait, result == 0);
	return result;
}

EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	if (LIKELY(hook_track_hot(HOOK_LOCK)))
		/* Before: afterwards a writer may have it; it never fails. */
		hook_unlock(KIND_RWLOCK, (uintptr_t)lock, OP_pthread_rwlock_unlock,
			    __builtin_frame_address(0), is_wanted(lock));
	return real.pthread_rwlock_unlock(lock);
}

static uint16_t rwlock_attributes(const pthread_rwlockattr_t *attributes)
{
	int kind = 0, shared = 0;
	uint16_t known = 0;

	if (!attributes)
		return 0;
	if (pthread_rwlockattr_getkind_np(attributes, &kind) == 0 &&
	    kind == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)
		known |= OBJECT_PREFER_WRITER;
	if (pthread_rwlockattr_getpshared(attributes, &shared) == 0 && shared == PTHREAD_PROCESS_SHARED)
		known |= OBJECT_SHARED;
	return known;
}

EXPORT int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_RWLOCK, (uintptr_t)lock, OP_pthread_rwlock_init);
	int result = real.pthread_rwlock_init(lock, attributes);
	if (hook.track && result == 0) {
		hold_forget(KIND_RWLOCK, (uintptr_t)lock);
		object_created(KIND_RWLOCK, (uintptr_t)lock, hook_stack(&hook), 0,
			       rwlock_attributes(attributes));
	}
	return result;
}

EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_destroy(&hook, KIND_RWLOCK, (uintptr_t)lock, OP_pthread_rwlock_destroy);
	int result = real.pthread_rwlock_destroy(lock);
	if (hook.track && result == 0) {
		lock_misuse_destroyed(&hook, KIND_RWLOCK, (uintptr_t)lock, OP_pthread_rwlock_destroy);
		hold_forget(KIND_RWLOCK, (uintptr_t)lock);
		object_destroyed(KIND_RWLOCK, (uintptr_t)lock);
	}
	return result;
}
