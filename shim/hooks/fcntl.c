/*
 * fcntl: its third argument is an int, a pointer or nothing, by a number that may
 * be newer than we are; it is handed on as the machine word that it came in.
 * Two of the commands wait for a lock.
 */
#include "hooks/hook.h"

#include <stdarg.h>

static bool fcntl_waits(int command)
{
	return command == F_SETLKW || command == F_SETLKW64 || command == F_OFD_SETLKW;
}

static void fcntl_wait(struct hook *hook, int fd)
{
	struct wait_for what = { .kind = KIND_FILE_LOCK, .op = OP_fcntl, .handle = (uint64_t)fd };
	hook_wait_for(hook, &what);
}

EXPORT int fcntl(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	void *argument = va_arg(rest, void *);
	va_end(rest);

	if (LIKELY(!fcntl_waits(command))) {
		real_ready();
		return real.fcntl(fd, command, argument);
	}
	HOOK(hook, BLOCKING);
	if (hook.track)
		fcntl_wait(&hook, fd);
	return real.fcntl(fd, command, argument);
}

EXPORT int fcntl64(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	void *argument = va_arg(rest, void *);
	va_end(rest);

	if (LIKELY(!fcntl_waits(command))) {
		real_ready();
		return real.fcntl64(fd, command, argument);
	}
	HOOK(hook, BLOCKING);
	if (hook.track)
		fcntl_wait(&hook, fd);
	return real.fcntl64(fd, command, argument);
}
