/*
 * exec and posix_spawn. All of these may run in a vfork child: nothing here
 * writes memory that the parent will look at, save this thread's own note of pages to free.
 */
#include "hooks/hook.h"

#include <limits.h>
#include <stdarg.h>

#include "hooks/child_env.h"
#include "start.h"

extern char **environ;

enum exec_how { EXEC_PATH, EXEC_SEARCH, EXEC_FD, EXEC_AT };

struct exec_call {
	enum exec_how how;
	const char *path;
	int fd, flags;
	char *const *argv;
	char *const *envp;
};

static int exec_real(const struct exec_call *call, char *const *envp)
{
	switch (call->how) {
	case EXEC_PATH:
		return real.execve(call->path, call->argv, envp);
	case EXEC_SEARCH:
		return real.execvpe(call->path, call->argv, envp);
	case EXEC_FD:
		return real.fexecve(call->fd, call->argv, envp);
	case EXEC_AT:
		return real.execveat(call->fd, call->path, call->argv, envp, call->flags);
	}
	__builtin_unreachable();
}

static int exec_call(const struct exec_call *call)
{
	struct child_env env;

	real_ready();
	size_t bytes = child_env_plan(&env, call->envp);
	void *memory = bytes ? CHILD_ENV_MEMORY(bytes) : NULL;
	start_before_exec();
	int result = exec_real(call, child_env_make(&env, memory));
	int error = errno;
	start_exec_failed();
	child_env_release(memory, bytes);
	errno = error;
	return result;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return exec_call(&(struct exec_call){ .how = EXEC_PATH, .path = path, .argv = argv, .envp = envp });
}

EXPORT int execv(const char *path, char *const argv[])
{
	return exec_call(
	    &(struct exec_call){ .how = EXEC_PATH, .path = path, .argv = argv, .envp = environ });
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return exec_call(
	    &(struct exec_call){ .how = EXEC_SEARCH, .path = file, .argv = argv, .envp = environ });
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return exec_call(&(struct exec_call){ .how = EXEC_SEARCH, .path = file, .argv = argv, .envp = envp });
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return exec_call(&(struct exec_call){ .how = EXEC_FD, .fd = fd, .argv = argv, .envp = envp });
}

EXPORT int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return exec_call(&(struct exec_call){
	    .how = EXEC_AT, .fd = fd, .path = path, .argv = argv, .envp = envp, .flags = flags });
}

/*
 * The variadic ones: `first` and the arguments after it up to the NULL become an array `argv` on
 * the stack, as libc makes it. `rest` is left behind the NULL, where execle has its environment.
 */
#define ARGUMENTS(argv, first, rest) \
	va_list rest; \
	size_t argv##_count = 2; \
	va_start(rest, first); \
	while (va_arg(rest, char *)) \
		argv##_count++; \
	va_end(rest); \
	char **argv = __builtin_alloca(argv##_count * sizeof *(argv)); \
	argv[0] = (char *)(uintptr_t)(first); \
	va_start(rest, first); \
	for (size_t at_ = 1; at_ < argv##_count; at_++) \
	argv[at_] = va_arg(rest, char *)

EXPORT int execl(const char *path, const char *argument, ...)
{
	ARGUMENTS(argv, argument, rest);
	va_end(rest);
	return execv(path, argv);
}

EXPORT int execlp(const char *file, const char *argument, ...)
{
	ARGUMENTS(argv, argument, rest);
	va_end(rest);
	return execvp(file, argv);
}

EXPORT int execle(const char *path, const char *argument, ...)
{
	ARGUMENTS(argv, argument, rest);
	char *const *envp = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, argv, envp);
}

/* -- posix_spawn ----------------------------------------------------------- */

typedef int spawn_function(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);

static int spawn_call(spawn_function *function, pid_t *pid, const char *path,
		      const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		      char *const argv[], char *const envp[])
{
	struct child_env env;
	size_t bytes = child_env_plan(&env, envp);
	void *memory = bytes ? CHILD_ENV_MEMORY(bytes) : NULL;
	int result = function(pid, path, actions, attributes, argv, child_env_make(&env, memory));
	int error = errno;
	child_env_release(memory, bytes);
	errno = error;
	return result;
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	real_ready();
	return spawn_call(real.posix_spawn, pid, path, actions, attributes, argv, envp);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	real_ready();
	return spawn_call(real.posix_spawnp, pid, file, actions, attributes, argv, envp);
}
