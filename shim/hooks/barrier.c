/* Barriers: waits alone; nobody holds one. */
#include "hooks/hook.h"
#include "hooks/lock_misuse.h"

#include "registry/object.h"

EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_barrier_wait(barrier);
	HOOK_KEEP(&hook);
	hook_wait(&hook, KIND_BARRIER, (uintptr_t)barrier, MODE_NONE, OP_pthread_barrier_wait);
	int result = real.pthread_barrier_wait(barrier);
	hook_wait_over(&hook);
	return result;
}

EXPORT int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes,
				unsigned count)
{
	HOOK(hook, LOCK);
	if (hook.track)
		lock_misuse_init(&hook, KIND_BARRIER, (uintptr_t)barrier, OP_pthread_barrier_init);
	int result = real.pthread_barrier_init(barrier, attributes, count);
	if (hook.track && result == 0) {
		int shared = 0;
		if (attributes)
			pthread_barrierattr_getpshared(attributes, &shared);
		object_created(KIND_BARRIER, (uintptr_t)barrier, hook_stack(&hook), count,
			       shared == PTHREAD_PROCESS_SHARED ? OBJECT_SHARED : 0);
	}
	return result;
}

EXPORT int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return real.pthread_barrier_destroy(barrier);
	lock_misuse_destroy(&hook, KIND_BARRIER, (uintptr_t)barrier, OP_pthread_barrier_destroy);
	/* Blocks until the last of its threads has left. */
	hook_wait(&hook, KIND_BARRIER, (uintptr_t)barrier, MODE_NONE, OP_pthread_barrier_destroy);
	int result = real.pthread_barrier_destroy(barrier);
	hook_wait_over(&hook);
	if (result == 0)
		object_destroyed(KIND_BARRIER, (uintptr_t)barrier);
	return result;
}
