/*
 * The life of the process: fork, the ways of its end, changes of identity, and
 * modules that go. exec and posix_spawn are in exec.c.
 */
#include "hooks/hook.h"

#include "hooks/deep.h"
#include "hooks/lock_misuse.h"
#include "hooks/tail.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/order.h"
#include "registry/others.h"
#include "stack/memory.h"
#include "stack/modules.h"
#include "start.h"

/* -- fork ------------------------------------------------------------------ */

/* Answers what to put back: a handler may fork in the midst of a fork. */
static const struct forking *forking_begin(struct forking *ret_forking)
{
	const struct forking *outer = self.forking;
	start_fork_prepare();
	thread_fork_prepare(ret_forking);
	self.forking = ret_forking;
	return outer;
}

static pid_t fork_with(pid_t (*real_fork)(void), const void *frame)
{
	struct forking forking;
	const struct forking *outer = forking_begin(&forking);
	/* For the child, which may meet a lock that another thread of ours holds. */
	if (self.slot && recording->threads_started > 1 && !self.busy)
		self.forked_at = stack_capture(frame);
	pid_t pid = real_fork();
	int error = errno;
	if (pid == 0)
		start_fork_child();
	else
		start_fork_parent();
	self.forking = outer;
	errno = error;
	return pid;
}

EXPORT pid_t fork(void)
{
	real_ready();
	return fork_with(real.fork, __builtin_frame_address(0));
}

EXPORT pid_t _Fork(void)
{
	real_ready();
	return fork_with(real._Fork, __builtin_frame_address(0));
}

/* Forks, and the parent ends, inside libc: what returns is the child, or nothing has happened. */
EXPORT int daemon(int stay_in_folder, int keep_descriptors)
{
	real_ready();
	struct forking forking;
	const struct forking *outer = forking_begin(&forking);
	pid_t before = getpid();
	int result = real.daemon(stay_in_folder, keep_descriptors);
	int error = errno;
	if (getpid() != before)
		start_daemon_child();
	else
		start_fork_parent();
	self.forking = outer;
	errno = error;
	return result;
}

/*
 * The child borrows the parent's memory and stack until it execs or ends, so a
 * frame of ours would be gone when the parent returns. What the child does until then is recorded
 * as the parent thread's doing, which is what it is as far as memory and locks go.
 */
void *vfork_route(void);
void *vfork_route(void)
{
	real_ready();
	return (void *)real.vfork;
}
TAIL_HOOK(vfork, vfork_route);

/* -- the end; exit() itself is seen by a destructor, after the program's own handlers ------------- */

EXPORT void _exit(int status)
{
	real_ready();
	start_process_ends(status, START_END_EXIT);
	real._exit(status);
	__builtin_unreachable();
}

EXPORT void _Exit(int status)
{
	real_ready();
	start_process_ends(status, START_END_EXIT);
	real._Exit(status);
	__builtin_unreachable();
}

/* libc runs the handlers and then ends without coming by any hook. */
EXPORT void quick_exit(int status)
{
	real_ready();
	start_process_ends(status, START_END_EXIT);
	real.quick_exit(status);
	__builtin_unreachable();
}

EXPORT void abort(void)
{
	real_ready();
	start_process_ends(-1, START_END_ABORT);
	real.abort();
	__builtin_unreachable();
}

/* -- identity -------------------------------------------------------------- */

#define CREDENTIAL(type, name, params, args) \
	EXPORT type name params \
	{ \
		real_ready(); \
		bool paused = reporter_pause(); \
		type result = real.name args; \
		int error = errno; \
		reporter_resume(paused); \
		errno = error; \
		return result; \
	}
#include "hooks/credentials.def"

/* Threads by the thousand may enter namespaces: ended for each of these calls, the reporter thread would bring all of them to a stop. */
EXPORT int setns(int fd, int type)
{
	real_ready();
	int result = real.setns(fd, type);
	if (result == 0 || (errno != EINVAL && errno != EUSERS) || !reporter_in_the_way())
		return result;
	bool paused = reporter_pause();
	result = real.setns(fd, type);
	int error = errno;
	reporter_resume(paused);
	errno = error;
	return result;
}

EXPORT int unshare(int flags)
{
	real_ready();
	bool paused = flags & ~UNSHARED_BY_THREAD && reporter_pause();
	int result = real.unshare(flags);
	int error = errno;
	reporter_resume(paused);
	errno = error;
	return result;
}

/* -- notifications ----------------------------------------------------------- */

/*
 * The kernel forgets who wants to be told of a message when a descriptor of the queue is closed in that process, in whatever
 * table: so the reporter thread gets its own, empty one now, and not after it.
 */
EXPORT int mq_notify(mqd_t queue, const struct sigevent *event)
{
	real_ready();
	if (event)
		reporter_want_now();
	return real.mq_notify(queue, event);
}

/* -- modules --------------------------------------------------------------- */

/*
 * dlopen and dlmopen search by who their caller is ($ORIGIN, RPATH, the namespace): by the return address. So
 * these are jumps, which keep it, and only note that there may be new modules once the call has returned. A module
 * that a stack shows an address of is found in any case; others matter for the names of what lies in their data.
 */
static void *note_opening(const void *caller_sp, void *real_function)
{
	if (recording && !self.busy && !self.guest)
		stack_modules_opening((uintptr_t)caller_sp);
	return real_function;
}

/* Where the stack pointer will be when the real function returns to who called the stub. */
#define CALLER_SP ((const char *)*(void **)__builtin_frame_address(0) + 16)

/*
 * A module that binds deeply has libc's allocator behind our backs until it is there as a whole (deep.h), and one in a namespace of its own
 * brings another libc: what goes to and fro between them and the others, we see one half of.
 */
void *dlopen_route(const char *file, int mode);
void *dlopen_route(const char *file, int mode)
{
	if (file && mode & RTLD_DEEPBIND) {
		allocation_doubt();
		deep_opening();
	}
	return real_ready() ? note_opening(CALLER_SP, (void *)real.dlopen) : (void *)real.dlopen;
}
TAIL_HOOK(dlopen, dlopen_route);

void *dlmopen_route(void);
void *dlmopen_route(void)
{
	allocation_doubt();
	return real_ready() ? note_opening(CALLER_SP, (void *)real.dlmopen) : (void *)real.dlmopen;
}
TAIL_HOOK(dlmopen, dlmopen_route);

/*
 * Modules of which something is held or waited for: any of them may go with the one that is closed, which has brought
 * it. More than so many at once have not been seen.
 */
#define UNLOADING_MOST 4u

struct unloading {
	struct lock_unmapping used[UNLOADING_MOST];
	uint32_t count;
	uint32_t epoch; /* before */
};

/* Whether anything is held or waited for between the first module and the last: mostly that is one look at all threads. */
static bool any_used(void)
{
	struct others_range range = { .from = UINT64_MAX, .own_too = true };
	struct module module;
	for (uint32_t at = 0; module_next(&at, &module);) {
		range.from = MIN_OF(range.from, module.start);
		range.to = MAX_OF(range.to, module.end);
	}
	return range.from < range.to && others_any(&range);
}

static NOINLINE void unloading_begin(struct hook *hook, struct unloading *unloading)
{
	struct module module;
	unloading->count = 0;
	unloading->epoch = modules_epoch();
	if (sys_sandboxed || !any_used())
		return;
	for (uint32_t at = 0; unloading->count < UNLOADING_MOST && module_next(&at, &module);) {
		struct lock_unmapping *one = &unloading->used[unloading->count];
		lock_unmap_begin(hook, one, module.start, module.end - module.start, OP_dlclose);
		unloading->count += one->used;
	}
}

/* They may have been opened by others as well, or be meant to stay. */
static NOINLINE void unloading_done(struct unloading *unloading)
{
	uint64_t start, end;
	for (uint32_t i = 0; i < unloading->count && !sys_sandboxed; i++)
		if (!memory_readable(unloading->used[i].from))
			lock_unload_done(&unloading->used[i]);
	for (uint32_t at = 0; module_gone_next(unloading->epoch, &at, &start, &end);)
		order_forget_range(start, end);
}

/* What was unloaded has to be told, since another module may come to lie at the same addresses. */
EXPORT int dlclose(void *handle)
{
	HOOK(hook, PROCESS);
	struct unloading unloading;
	if (hook.track)
		unloading_begin(&hook, &unloading);
	stack_modules_opening(
	    0); /* a handler that interrupts it must not look while the loader's list changes */
	if (hook.track)
		stack_unload_begin();
	int result = real.dlclose(handle);
	if (hook.track) {
		if (result == 0) {
			stack_modules_changed(true);
			unloading_done(&unloading);
		}
		stack_unload_end();
	}
	return result;
}
