#include "hooks/file_lock.h"

#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/hash.h"
#include "base/text.h"
#include "platform/sys.h"
#include "registry/object.h"

/* Files whose names are known, by identity: a name is looked up once, and again where another took the place. */
static uint64_t named[64];

/* One number for the file behind `fd`, never 0; 0: it can't be asked for. */
static uint64_t file_identity(int fd)
{
	struct stat status = { .st_ino = 0 };
	if (sys_sandboxed || sys_call2(SYS_fstat, fd, &status) != 0)
		return 0;
	return hash_add(hash_mix(status.st_dev), status.st_ino) | 1;
}

static void name_file(uint64_t identity, int fd)
{
	uint64_t *known = &named[identity >> 1 & (COUNT_OF(named) - 1)];
	char link[32], path[512];
	struct text text = TEXT_OF(link);

	if (LIKELY(__atomic_load_n(known, __ATOMIC_RELAXED) == identity))
		return;
	text_format(&text, "/proc/self/fd/%d", fd);
	long length = sys_readlink(link, path, sizeof path - 1);
	if (length <= 0)
		return;
	path[length] = '\0';
	object_named(identity, path);
	__atomic_store_n(known, identity, __ATOMIC_RELAXED);
}

void file_lock_wait(struct hook *hook, int fd, enum mode mode, enum op op)
{
	struct wait_for what = { .kind = KIND_FILE_LOCK,
				 .mode = mode,
				 .op = op,
				 .handle = file_identity(fd),
				 .handle2 = (uint64_t)fd };
	if (what.handle)
		name_file(what.handle, fd);
	hook_wait_for(hook, &what);
}

void file_lock_released(int fd)
{
	uint64_t identity = file_identity(fd);
	while (identity && hold_end(KIND_FILE_LOCK, identity, NULL) == HOLD_END_OWN)
		;
}

void file_lock_taken(struct hook *hook, int fd, enum mode mode, enum op op)
{
	uint64_t identity = file_identity(fd);
	hook_wait_over(hook);
	/* Of descriptors this high there is no room for the number, and nothing to ask the kernel with. */
	if (!identity || fd > UINT16_MAX)
		return;
	while (hold_end(KIND_FILE_LOCK, identity, NULL) == HOLD_END_OWN)
		;
	name_file(identity, fd);
	hold_begin(KIND_FILE_LOCK, identity, mode, op, hook_stack(hook));
	hold_descriptor(KIND_FILE_LOCK, identity, fd);
}

EXPORT int flock(int fd, int operation)
{
	HOOK(hook, BLOCKING);
	struct hook_kept kept CLEANUP(hook_kept_end);
	int what = operation & ~LOCK_NB;
	enum mode mode = what == LOCK_SH ? MODE_SHARED : MODE_EXCLUSIVE;
	if (!hook.track || (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN))
		return real.flock(fd, operation);
	int error = errno;
	if (what == LOCK_UN)
		file_lock_released(fd);
	else if (!(operation & LOCK_NB)) {
		hook_keep(&hook, &kept);
		file_lock_wait(&hook, fd, mode, OP_flock);
	}
	errno = error;
	int result = real.flock(fd, operation);
	if (result == 0 && what != LOCK_UN)
		file_lock_taken(&hook, fd, mode, OP_flock);
	return result;
}

EXPORT int lockf(int fd, int command, off_t length)
{
	HOOK(hook, BLOCKING);
	struct hook_kept kept CLEANUP(hook_kept_end);
	if (hook.track && command == F_LOCK) {
		hook_keep(&hook, &kept);
		file_lock_wait(&hook, fd, MODE_EXCLUSIVE, OP_lockf);
	}
	return real.lockf(fd, command, length);
}

EXPORT int lockf64(int fd, int command, off64_t length)
{
	HOOK(hook, BLOCKING);
	struct hook_kept kept CLEANUP(hook_kept_end);
	if (hook.track && command == F_LOCK) {
		hook_keep(&hook, &kept);
		file_lock_wait(&hook, fd, MODE_EXCLUSIVE, OP_lockf);
	}
	return real.lockf64(fd, command, length);
}
