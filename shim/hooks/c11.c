/*
 * The C11 names. glibc's do not go through the pthread names, and the real C11
 * functions are called, since their results and types are their own. A mtx_t is a
 * pthread_mutex_t inside, and so it is one here.
 */
#include "hooks/cond.h"
#include "hooks/hook.h"
#include "hooks/lock_misuse.h"
#include "hooks/mutex.h"
#include "registry/object.h"
#include "registry/signalled.h"

static void mtx_result(struct hook *hook, const mtx_t *mutex, enum op op, int result)
{
	hook_wait_over(hook);
	if (result == thrd_success)
		hold_begin(KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, op, hook_stack(hook));
	else if (result == thrd_error)
		lock_misuse_use(KIND_MUTEX, (uintptr_t)mutex, op, hook_stack(hook));
}

static bool is_taken(const mtx_t *mutex)
{
	return mutex_is_taken((const pthread_mutex_t *)(const void *)mutex);
}

static NOINLINE int lock_taken(struct hook *hook, mtx_t *mutex)
{
	HOOK_KEEP(hook);
	struct contended wait CLEANUP(contention_left) = { 0 };
	hook_lock_contended(hook, &wait, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_mtx_lock);
	int result = real.mtx_lock(mutex);
	if (LIKELY(result == thrd_success))
		hook_locked(hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_mtx_lock);
	else
		mtx_result(hook, mutex, OP_mtx_lock, result);
	contention_over(&wait, result == thrd_success);
	return result;
}

EXPORT int mtx_lock(mtx_t *mutex)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.mtx_lock(mutex);
	if (is_taken(mutex))
		return lock_taken(&hook, mutex);
	hook_lock(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_mtx_lock);
	int result = real.mtx_lock(mutex);
	if (LIKELY(result == thrd_success))
		hook_locked(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_mtx_lock);
	else
		mtx_result(&hook, mutex, OP_mtx_lock, result);
	return result;
}

EXPORT int mtx_trylock(mtx_t *mutex)
{
	HOOK(hook, LOCK);
	int result = real.mtx_trylock(mutex);
	if (hook.track)
		mtx_result(&hook, mutex, OP_mtx_trylock, result);
	return result;
}

EXPORT int mtx_timedlock(mtx_t *mutex, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.mtx_timedlock(mutex, until);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_mtx_timedlock);
	struct contended wait CLEANUP(contention_left) = { 0 };
	if (is_taken(mutex))
		hook_contended(&hook, &wait, KIND_MUTEX, (uintptr_t)mutex, MODE_EXCLUSIVE, OP_mtx_timedlock);
	int result = real.mtx_timedlock(mutex, until);
	mtx_result(&hook, mutex, OP_mtx_timedlock, result);
	contention_over(&wait, result == thrd_success);
	return result;
}

EXPORT int mtx_unlock(mtx_t *mutex)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.mtx_unlock(mutex);
	struct mutex_release release;
	mutex_release_begin(&release, (const pthread_mutex_t *)(const void *)mutex, OP_mtx_unlock,
			    hook.frame);
	int result = real.mtx_unlock(mutex);
	mutex_release_result(&release, result == thrd_success);
	return result;
}

EXPORT int mtx_init(mtx_t *mutex, int type)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_MUTEX, (uintptr_t)mutex, OP_mtx_init);
	int result = real.mtx_init(mutex, type);
	if (hook.track && result == thrd_success) {
		hold_forget(KIND_MUTEX, (uintptr_t)mutex);
		object_created(KIND_MUTEX, (uintptr_t)mutex, hook_stack(&hook), 0,
			       type & mtx_recursive ? OBJECT_RECURSIVE : 0);
	}
	return result;
}

EXPORT void mtx_destroy(mtx_t *mutex)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_destroy(&hook, KIND_MUTEX, (uintptr_t)mutex, OP_mtx_destroy);
	real.mtx_destroy(mutex);
	if (hook.track) {
		lock_misuse_destroyed(&hook, KIND_MUTEX, (uintptr_t)mutex, OP_mtx_destroy);
		hold_forget(KIND_MUTEX, (uintptr_t)mutex);
		object_destroyed(KIND_MUTEX, (uintptr_t)mutex);
	}
}

EXPORT int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.cnd_wait(cond, mutex);
	HOOK_KEEP(&hook);
	struct cond_wait wait CLEANUP(cond_wait_end) =
	    cond_wait_begin(&hook, cond, mutex, OP_cnd_wait, false);
	(void)wait;
	return real.cnd_wait(cond, mutex);
}

EXPORT int cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.cnd_timedwait(cond, mutex, until);
	HOOK_KEEP(&hook);
	struct cond_wait wait CLEANUP(cond_wait_end) =
	    cond_wait_begin(&hook, cond, mutex, OP_cnd_timedwait, true);
	(void)wait;
	return real.cnd_timedwait(cond, mutex, until);
}

EXPORT int cnd_signal(cnd_t *cond)
{
	HOOK_HOT(hook, LOCK);
	cond_signal(&hook, cond, OP_cnd_signal);
	return real.cnd_signal(cond);
}

EXPORT int cnd_broadcast(cnd_t *cond)
{
	HOOK_HOT(hook, LOCK);
	cond_signal(&hook, cond, OP_cnd_broadcast);
	return real.cnd_broadcast(cond);
}

EXPORT int cnd_init(cnd_t *cond)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_COND, (uintptr_t)cond, OP_cnd_init);
	int result = real.cnd_init(cond);
	signalled_forget((uintptr_t)cond);
	if (hook.track && result == thrd_success)
		object_created(KIND_COND, (uintptr_t)cond, hook_stack(&hook), 0, 0);
	return result;
}

EXPORT void cnd_destroy(cnd_t *cond)
{
	HOOK(hook, LOCK);
	if (!hook.track) {
		real.cnd_destroy(cond);
		return;
	}
	lock_misuse_destroy(&hook, KIND_COND, (uintptr_t)cond, OP_cnd_destroy);
	/* Blocks until the last woken waiter has left. */
	hook_wait(&hook, KIND_COND, (uintptr_t)cond, MODE_NONE, OP_cnd_destroy);
	real.cnd_destroy(cond);
	hook_wait_over(&hook);
	lock_misuse_destroyed(&hook, KIND_COND, (uintptr_t)cond, OP_cnd_destroy);
	object_destroyed(KIND_COND, (uintptr_t)cond);
	signalled_forget((uintptr_t)cond);
}
