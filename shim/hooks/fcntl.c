/*
 * fcntl: its third argument is an int, a pointer or nothing, by a number that may
 * be newer than we are; it is handed on as the machine word that it came in.
 * Some of the commands take locks, or wait for one.
 */
#include "hooks/hook.h"

#include <stdarg.h>

#include "hooks/descriptor.h"
#include "hooks/file_lock.h"
#include "options.h"
#include "stack/memory.h"

/* F_SETLKW64 is F_SETLKW here, and only libc's own files say so. */
static bool fcntl_locks(int command)
{
	return command == F_SETLKW || command == F_OFD_SETLKW || command == F_OFD_SETLK;
}

static void *fcntl_argument(va_list rest)
{
	return va_arg(rest, void *);
}

/* What the program asks for; a bad pointer is the kernel's to refuse, so it is not read in place. */
static short lock_type(const void *argument)
{
	struct flock lock;
	return memory_copy(&lock, (uintptr_t)argument, sizeof lock) ? lock.l_type : F_UNLCK;
}

static int fcntl_lock(int (*call)(int fd, int command, ...), int fd, int command, void *argument)
{
	HOOK(hook, BLOCKING);
	struct hook_kept kept CLEANUP(hook_kept_end);
	if (!hook.track)
		return call(fd, command, argument);
	int error = errno;
	short type = lock_type(argument);
	enum mode mode = type == F_RDLCK ? MODE_SHARED : MODE_EXCLUSIVE;
	bool waits = command != F_OFD_SETLK, of_file = command != F_SETLKW;
	if (type == F_UNLCK && of_file) {
		/* All of it, also where only a part is: rather too little than too much. */
		file_lock_released(fd);
	} else if (type != F_UNLCK && waits) {
		hook_keep(&hook, &kept);
		file_lock_wait(&hook, fd, mode, OP_fcntl);
	}
	errno = error;
	int result = call(fd, command, argument);
	if (result == 0 && type != F_UNLCK && of_file)
		file_lock_taken(&hook, fd, mode, OP_fcntl);
	return result;
}

static bool fcntl_copies(int command)
{
	return (command == F_DUPFD || command == F_DUPFD_CLOEXEC) && options.descriptors;
}

static int fcntl_copy(int (*call)(int fd, int command, ...), int fd, int command, void *argument)
{
	HOOK(hook, PAIR);
	int result = call(fd, command, argument);
	if (hook.track && result >= 0)
		descriptor_opened(&hook, result, false);
	return result;
}

EXPORT int fcntl(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	void *argument = fcntl_argument(rest);
	va_end(rest);

	real_ready();
	if (UNLIKELY(fcntl_copies(command)))
		return fcntl_copy(real.fcntl, fd, command, argument);
	return UNLIKELY(fcntl_locks(command)) ? fcntl_lock(real.fcntl, fd, command, argument)
					      : real.fcntl(fd, command, argument);
}

EXPORT int fcntl64(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	void *argument = fcntl_argument(rest);
	va_end(rest);

	real_ready();
	if (UNLIKELY(fcntl_copies(command)))
		return fcntl_copy(real.fcntl64, fd, command, argument);
	return UNLIKELY(fcntl_locks(command)) ? fcntl_lock(real.fcntl64, fd, command, argument)
					      : real.fcntl64(fd, command, argument);
}
