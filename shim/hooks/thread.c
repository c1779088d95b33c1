/*
 * Threads: made, joined, detached, named, cancelled. The end of one is not told
 * here but by a thread-specific destructor (platform/tsd.h), since that is where
 * every way of ending comes by.
 */
#include "hooks/hook.h"
#include "hooks/thread_misuse.h"

#include "platform/sys.h"
#include "platform/tsd.h"
#include "registry/recording.h"
#include "stack/memory.h"
#include "start.h"

/* Where the key is the program's: the thread ends here, whatever way it does, but for its destructors. */
static void frame_ends(const bool *begun)
{
	if (*begun)
		thread_end_early();
}

static void *NOINLINE routine_framed(void *(*routine)(void *), void *argument)
{
	CLEANUP(frame_ends) bool begun __attribute__((unused)) = true;
	return routine(argument);
}

static int NOINLINE routine_framed_c11(thrd_start_t routine, void *argument)
{
	CLEANUP(frame_ends) bool begun __attribute__((unused)) = true;
	return routine(argument);
}

/* What every stack of a thread made that way goes back to. */
static void note_root(unsigned which, const void *return_address)
{
	if (UNLIKELY(!atomic_load_explicit(&recording->thread_roots[which], memory_order_relaxed)))
		atomic_store_explicit(&recording->thread_roots[which], (uintptr_t)return_address,
				      memory_order_relaxed);
}

/*
 * The new thread's first frames. What was asked for waits in the slot. The
 * calls of the program's routine are tail calls, so no frame of ours stays below it.
 */
static void *thread_main(void *data)
{
	struct rec_thread *slot = data;
	void *(*routine)(void *) = (void *(*)(void *))(uintptr_t)slot->start_routine;
	void *argument = (void *)(uintptr_t)slot->argument;

	thread_begin(slot);
	note_root(0, __builtin_return_address(0));
	if (UNLIKELY(!tsd_works()))
		return routine_framed(routine, argument);
	return routine(argument);
}

static int thread_main_c11(void *data)
{
	struct rec_thread *slot = data;
	thrd_start_t routine = (thrd_start_t)(uintptr_t)slot->start_routine;
	void *argument = (void *)(uintptr_t)slot->argument;

	thread_begin(slot);
	note_root(1, __builtin_return_address(0));
	if (UNLIKELY(!tsd_works()))
		return routine_framed_c11(routine, argument);
	return routine(argument);
}

/* -- thread-specific keys: all of them are the program's, if it wants them ------------------------ */

EXPORT int pthread_key_create(pthread_key_t *ret_key, void (*destructor)(void *))
{
	real_ready();
	int result = real.pthread_key_create(ret_key, destructor);
	if (UNLIKELY(result == EAGAIN) && tsd_give_up())
		result = real.pthread_key_create(ret_key, destructor);
	return result;
}

EXPORT int tss_create(tss_t *ret_key, tss_dtor_t destructor)
{
	real_ready();
	int result = real.tss_create(ret_key, destructor);
	if (UNLIKELY(result != thrd_success) && tsd_give_up())
		result = real.tss_create(ret_key, destructor);
	return result;
}

/* -- made, joined, detached, named, cancelled ------------------------------------------------------ */

/* What stack the thread will have. */
static void ask_stack(struct rec_thread *slot, const pthread_attr_t *attributes)
{
	pthread_attr_t standard;
	void *low = NULL;
	size_t bytes = 0, again = 0;

	if (!attributes && pthread_attr_init(&standard) != 0)
		return;
	/* The size, or what it will be where none was set; and where there is no memory, the end of it is 0. */
	if (pthread_attr_getstacksize(attributes ? attributes : &standard, &bytes) != 0)
		return;
	if (!attributes || pthread_attr_getstack(attributes, &low, &again) != 0 ||
	    (uintptr_t)low + bytes == 0 || (uintptr_t)low > UINTPTR_MAX - bytes)
		low = NULL;
	thread_stack(slot, (uintptr_t)low, bytes);
}

/*
 * A new thread has told its own name once it has begun. And by then it may have ended, and unmapped the memory that libc has
 * stored the name in before it ran.
 */
static void note_name(struct rec_thread *slot, const void *name)
{
	uint64_t pthread = 0;
	if (atomic_load_explicit(&slot->state, memory_order_acquire) != THREAD_STARTING)
		return;
	if (sys_sandboxed)
		pthread = *(const uint64_t *)name;
	else if (!memory_copy(&pthread, (uintptr_t)name, sizeof pthread))
		return;
	thread_created(slot, pthread);
}

_Static_assert(sizeof(pthread_t) == sizeof(uint64_t) && sizeof(thrd_t) == sizeof(uint64_t),
	       "a name is a word");

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *),
			  void *argument)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.pthread_create(thread, attributes, routine, argument);
	int state = PTHREAD_CREATE_JOINABLE;
	if (attributes)
		pthread_attr_getdetachstate(attributes, &state);
	bool detached = state == PTHREAD_CREATE_DETACHED;
	struct rec_thread *slot =
	    thread_create(hook_stack(&hook), (uintptr_t)routine, (uintptr_t)argument, detached);
	if (!slot)
		return real.pthread_create(thread, attributes, routine, argument);
	ask_stack(slot, attributes);
	reporter_want(); /* while there is no other thread, see guest_start */
	int result = real.pthread_create(thread, attributes, thread_main, slot);
	if (result)
		thread_create_failed(slot);
	else if (!detached) /* nobody can join it, and its slot may be another thread's by now */
		note_name(slot, thread);
	return result;
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t routine, void *argument)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.thrd_create(thread, routine, argument);
	struct rec_thread *slot =
	    thread_create(hook_stack(&hook), (uintptr_t)routine, (uintptr_t)argument, false);
	if (!slot)
		return real.thrd_create(thread, routine, argument);
	ask_stack(slot, NULL);
	reporter_want(); /* while there is no other thread, see guest_start */
	int result = real.thrd_create(thread, thread_main_c11, slot);
	if (result != thrd_success)
		thread_create_failed(slot);
	else
		note_name(slot, thread);
	return result;
}

/*
 * The thread that is joined is looked up before the real call: once it is joined,
 * its pthread_t may be another's.
 */
static struct thread_call join_begin(struct hook *hook, pthread_t thread, enum op op, bool timed)
{
	struct thread_call call;
	thread_call_begin(hook, &call, (uint64_t)thread, op);
	struct wait_for what = { .kind = KIND_THREAD,
				 .op = op,
				 .timed = timed,
				 .handle = (uint64_t)thread,
				 .target = call.thread.id };

	hook_wait_for(hook, &what);
	return call;
}

static void join_result(struct hook *hook, const struct thread_call *call, int result)
{
	hook_wait_over(hook);
	thread_call_end(hook, call, result);
	if (result == 0 && call->known)
		thread_joined(call->thread.id, call->pthread);
}

/* C11's functions don't say what is wrong: where there is such a thread it is not that there is none. */
static int error_of(const struct thread_call *call, int result)
{
	if (result == thrd_success)
		return 0;
	return call->known ? EINVAL : ESRCH;
}

EXPORT int pthread_join(pthread_t thread, void **ret_value)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.pthread_join(thread, ret_value);
	HOOK_KEEP(&hook);
	struct thread_call call = join_begin(&hook, thread, OP_pthread_join, false);
	int result = real.pthread_join(thread, ret_value);
	join_result(&hook, &call, result);
	return result;
}

EXPORT int pthread_tryjoin_np(pthread_t thread, void **ret_value)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.pthread_tryjoin_np(thread, ret_value);
	struct thread_call call;
	thread_call_begin(&hook, &call, (uint64_t)thread, OP_pthread_join);
	int result = real.pthread_tryjoin_np(thread, ret_value);
	join_result(&hook, &call, result);
	return result;
}

EXPORT int pthread_timedjoin_np(pthread_t thread, void **ret_value, const struct timespec *until)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.pthread_timedjoin_np(thread, ret_value, until);
	/* libc takes no time at all for all the time there is. */
	HOOK_KEEP(&hook);
	struct thread_call call = join_begin(&hook, thread, OP_pthread_timedjoin_np, until != NULL);
	int result = real.pthread_timedjoin_np(thread, ret_value, until);
	join_result(&hook, &call, result);
	return result;
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **ret_value, clockid_t clock,
				const struct timespec *until)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.pthread_clockjoin_np(thread, ret_value, clock, until);
	HOOK_KEEP(&hook);
	struct thread_call call = join_begin(&hook, thread, OP_pthread_clockjoin_np, until != NULL);
	int result = real.pthread_clockjoin_np(thread, ret_value, clock, until);
	join_result(&hook, &call, result);
	return result;
}

EXPORT int thrd_join(thrd_t thread, int *ret_value)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.thrd_join(thread, ret_value);
	HOOK_KEEP(&hook);
	struct thread_call call = join_begin(&hook, thread, OP_thrd_join, false);
	int result = real.thrd_join(thread, ret_value);
	join_result(&hook, &call, error_of(&call, result));
	return result;
}

/* Told before the real call, after which the pthread_t may be another's. It fails for threads that are detached already. */
EXPORT int pthread_detach(pthread_t thread)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.pthread_detach(thread);
	struct thread_call call;
	thread_call_begin(&hook, &call, (uint64_t)thread, OP_pthread_detach);
	thread_detached((uint64_t)thread);
	int result = real.pthread_detach(thread);
	thread_call_end(&hook, &call, result);
	return result;
}

EXPORT int thrd_detach(thrd_t thread)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return real.thrd_detach(thread);
	struct thread_call call;
	thread_call_begin(&hook, &call, (uint64_t)thread, OP_thrd_detach);
	thread_detached((uint64_t)thread);
	int result = real.thrd_detach(thread);
	thread_call_end(&hook, &call, error_of(&call, result));
	return result;
}

/* Before: afterwards it may have ended, and its pthread_t be another's. */
EXPORT int pthread_cancel(pthread_t thread)
{
	HOOK(hook, PROCESS);
	if (hook.track)
		thread_cancelled((uint64_t)thread);
	return real.pthread_cancel(thread);
}

EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	HOOK(hook, PROCESS);
	int result = real.pthread_setname_np(thread, name);
	if (hook.track && result == 0)
		thread_set_name((uint64_t)thread, name);
	return result;
}
