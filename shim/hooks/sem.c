/*
 * Semaphores. Whoever took one holds it until somebody posts: the poster itself
 * where it has one, else the one that took it first. sem_post may be called from
 * signal handlers.
 */
#include "hooks/hook.h"
#include "hooks/lock_misuse.h"

#include <stdarg.h>

#include "registry/object.h"
#include "registry/order.h"
#include "registry/signalled.h"
#include "start.h"

static void sem_result(struct hook *hook, const sem_t *sem, enum op op, int result)
{
	hook_wait_over(hook);
	if (result == 0)
		hold_begin(KIND_SEM, (uintptr_t)sem, MODE_SHARED, op, hook_stack(hook));
}

EXPORT int sem_wait(sem_t *sem)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.sem_wait(sem);
	/* A peek at glibc's own word, whose low half is the value. */
	if (UNLIKELY(!(uint32_t)__atomic_load_n((const uint64_t *)(const void *)sem, __ATOMIC_RELAXED)))
		reporter_want_now(); /* there may be nobody to post it */
	HOOK_KEEP(&hook);
	hook_wait(&hook, KIND_SEM, (uintptr_t)sem, MODE_SHARED, OP_sem_wait);
	int result = real.sem_wait(sem);
	sem_result(&hook, sem, OP_sem_wait, result);
	/* Used as a lock, it may be a part of a ring; the detector lock-order judges of that. */
	const struct rec_thread *slot = self.slot;
	uint32_t holds = result == 0 && slot ? slot->hold_count : 0;
	if (UNLIKELY(holds > 1 && holds <= REC_SLOT_HOLDS && slot->holds[holds - 1].handle == (uintptr_t)sem))
		order_acquired(slot, holds);
	return result;
}

EXPORT int sem_trywait(sem_t *sem)
{
	HOOK(hook, LOCK);
	int result = real.sem_trywait(sem);
	if (hook.track)
		sem_result(&hook, sem, OP_sem_trywait, result);
	return result;
}

EXPORT int sem_timedwait(sem_t *sem, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.sem_timedwait(sem, until);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_SEM, (uintptr_t)sem, MODE_SHARED, OP_sem_timedwait);
	int result = real.sem_timedwait(sem, until);
	sem_result(&hook, sem, OP_sem_timedwait, result);
	return result;
}

EXPORT int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.sem_clockwait(sem, clock, until);
	HOOK_KEEP(&hook);
	hook_wait_timed(&hook, KIND_SEM, (uintptr_t)sem, MODE_SHARED, OP_sem_clockwait);
	int result = real.sem_clockwait(sem, clock, until);
	sem_result(&hook, sem, OP_sem_clockwait, result);
	return result;
}

/*
 * How a semaphore is used: as a lock, by whoever took it posting it, or as a signal. Each is worth
 * being recorded once. What was recorded before is kept by address, so that most posts find it there;
 * where another semaphore has taken the place it is recorded again.
 */
static uint64_t posts_known[256];

static uint64_t *post_known(const sem_t *sem)
{
	uint64_t handle = (uintptr_t)sem;
	return &posts_known[(handle >> 3 ^ handle >> 11) % COUNT_OF(posts_known)];
}

static void note_post(const sem_t *sem, uint16_t how)
{
	uint64_t *known = post_known(sem);
	uint64_t mark = (uintptr_t)sem << 8 | how;
	if (LIKELY(__atomic_load_n(known, __ATOMIC_RELAXED) == mark))
		return;
	object_marked(KIND_SEM, (uintptr_t)sem, how);
	__atomic_store_n(known, mark, __ATOMIC_RELAXED);
}

EXPORT int sem_post(sem_t *sem)
{
	HOOK(hook, LOCK);
	if (hook.track) {
		/* Before: a woken waiter may free it. */
		bool own = hold_end(KIND_SEM, (uintptr_t)sem, NULL) == HOLD_END_OWN;
		if (signalled_wanted())
			signalled_note(KIND_SEM, (uintptr_t)sem, OP_sem_post, hook_stack(&hook));
		note_post(sem, own ? OBJECT_POSTED_BY_TAKER : OBJECT_POSTED_BY_OTHER);
	}
	return real.sem_post(sem);
}

EXPORT int sem_init(sem_t *sem, int shared, unsigned value)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_SEM, (uintptr_t)sem, OP_sem_init);
	int result = real.sem_init(sem, shared, value);
	if (hook.track && result == 0) {
		hold_forget(KIND_SEM, (uintptr_t)sem);
		signalled_forget((uintptr_t)sem);
		object_created(KIND_SEM, (uintptr_t)sem, hook_stack(&hook), value,
			       shared ? OBJECT_SHARED : 0);
		__atomic_store_n(post_known(sem), 0, __ATOMIC_RELAXED);
	}
	return result;
}

EXPORT int sem_destroy(sem_t *sem)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_destroy(&hook, KIND_SEM, (uintptr_t)sem, OP_sem_destroy);
	int result = real.sem_destroy(sem);
	if (hook.track && result == 0) {
		hold_forget(KIND_SEM, (uintptr_t)sem);
		signalled_forget((uintptr_t)sem);
		object_destroyed(KIND_SEM, (uintptr_t)sem);
	}
	return result;
}

EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	/* Where O_CREAT is not set they are not there; what is read then is not looked at. */
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	unsigned value = va_arg(rest, unsigned);
	va_end(rest);

	HOOK(hook, LOCK);
	sem_t *sem = real.sem_open(name, flags, mode, value);
	/* Opened again, it has the same address, and its holds stay. */
	if (hook.track && sem != SEM_FAILED) {
		object_created(KIND_SEM, (uintptr_t)sem, hook_stack(&hook), flags & O_CREAT ? value : 0,
			       OBJECT_SHARED);
		object_named((uintptr_t)sem, name);
	}
	return sem;
}

EXPORT int sem_close(sem_t *sem)
{
	HOOK(hook, LOCK);
	int result = real.sem_close(sem);
	/* Whether this was the last user can't be known: better to forget a hold than to make one up. */
	if (hook.track && result == 0) {
		hold_forget(KIND_SEM, (uintptr_t)sem);
		signalled_forget((uintptr_t)sem);
		object_destroyed(KIND_SEM, (uintptr_t)sem);
	}
	return result;
}
