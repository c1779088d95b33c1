/*
 * Static initialisers of C++: `static T it;` in a function. Compilers look at the guard themselves, and call
 * __cxa_guard_acquire only as long as it has not been initialised: whoever gets 1 initialises, and is the one that the others
 * wait for until it calls __cxa_guard_release, or __cxa_guard_abort where an exception ended it.
 */
#include "hooks/hook.h"

#include "hooks/cxx_runtime.h"
#include "platform/sys.h"

static void *guard_ready(void **place, void *resolved, const char *name)
{
	void *found = resolved ? resolved : __atomic_load_n(place, __ATOMIC_ACQUIRE);
	if (LIKELY(found))
		return found;
	self.busy++;
	found = cxx_runtime_find(name).address;
	self.busy--;
	__atomic_store_n(place, found, __ATOMIC_RELEASE);
	return found;
}

#define REAL(name) \
	static void *late_##name; \
	__typeof__(&name) call = (__typeof__(&name))guard_ready(&late_##name, (void *)real.name, #name)

/* Where there is no runtime at all: what the ABI says, for a program that brought a compiler's output and nothing else. */
#define GUARD_DONE 1
#define GUARD_PENDING 0x100

static int acquire_alone(uint64_t *guard)
{
	uint64_t expected = 0;
	while (!__atomic_compare_exchange_n(guard, &expected, GUARD_PENDING, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE)) {
		if (expected & GUARD_DONE)
			return 0;
		expected = 0;
		sys_sleep(NSEC_PER_MSEC / 100);
	}
	return 1;
}

EXPORT int __cxa_guard_acquire(uint64_t *guard)
{
	HOOK(hook, LOCK);
	REAL(__cxa_guard_acquire);
	if (!call)
		return acquire_alone(guard);
	if (!hook.track)
		return call(guard);
	HOOK_KEEP(&hook);
	hook_wait(&hook, KIND_GUARD, (uintptr_t)guard, MODE_EXCLUSIVE, OP_cxa_guard_acquire);
	int result = call(guard);
	hook_wait_over(&hook);
	if (result)
		hold_begin(KIND_GUARD, (uintptr_t)guard, MODE_EXCLUSIVE, OP_cxa_guard_acquire,
			   hook_stack(&hook));
	return result;
}

EXPORT void __cxa_guard_release(uint64_t *guard)
{
	HOOK(hook, LOCK);
	REAL(__cxa_guard_release);
	if (hook.track)
		hold_end(KIND_GUARD, (uintptr_t)guard, NULL);
	if (call)
		call(guard);
	else
		__atomic_store_n(guard, GUARD_DONE, __ATOMIC_RELEASE);
}

EXPORT void __cxa_guard_abort(uint64_t *guard)
{
	HOOK(hook, LOCK);
	REAL(__cxa_guard_abort);
	if (hook.track)
		hold_end(KIND_GUARD, (uintptr_t)guard, NULL);
	if (call)
		call(guard);
	else
		__atomic_store_n(guard, 0, __ATOMIC_RELEASE);
}
