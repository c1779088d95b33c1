#include "hooks/thread_count.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "hooks/hook.h"
#include "platform/sys.h"
#include "start.h"

static bool ends_with(const char *path, size_t length, const char *end)
{
	size_t bytes = strlen(end);
	return length >= bytes && memcmp(path + length - bytes, end, bytes) == 0;
}

void thread_count_opened(const char *path)
{
	if (!path || LIKELY(strncmp(path, "/proc/", 6) != 0) || !reporter_threads())
		return;
	size_t length = strlen(path);
	if (ends_with(path, length, "/stat") || ends_with(path, length, "/status") ||
	    ends_with(path, length, "/task") || ends_with(path, length, "/task/"))
		reporter_step_aside();
}

/* -- the links of /proc/self/task --------------------------------------------- */

/*
 * `found` is what the kernel says of `path`: where that is the directory of our tasks, each of them has a link in it. There may
 * be no path, where the program asks about a descriptor (AT_EMPTY_PATH).
 */
static int without_reporter(const char *path, int result, struct stat *found)
{
	if (result != 0 || !path || !S_ISDIR(found->st_mode) || !reporter_threads())
		return result;
	size_t length = strlen(path);
	struct stat own = { .st_ino = 0 };
	if ((ends_with(path, length, "task") || ends_with(path, length, "task/")) &&
	    sys_call4(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &own, 0) == 0 &&
	    own.st_dev == found->st_dev && own.st_ino == found->st_ino && found->st_nlink > 3)
		found->st_nlink -= reporter_threads();
	return result;
}

/* On x86-64 both sorts of the structure are one. */
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "struct stat64 is struct stat");

EXPORT int stat(const char *path, struct stat *found)
{
	real_ready();
	return without_reporter(path, real.stat(path, found), found);
}

EXPORT int stat64(const char *path, struct stat64 *found)
{
	real_ready();
	return without_reporter(path, real.stat64(path, found), (struct stat *)found);
}

EXPORT int fstatat(int directory, const char *path, struct stat *found, int flags)
{
	real_ready();
	return without_reporter(path, real.fstatat(directory, path, found, flags), found);
}

EXPORT int fstatat64(int directory, const char *path, struct stat64 *found, int flags)
{
	real_ready();
	return without_reporter(path, real.fstatat64(directory, path, found, flags), (struct stat *)found);
}
