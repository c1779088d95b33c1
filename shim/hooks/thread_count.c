#include "hooks/thread_count.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "hooks/hook.h"
#include "platform/sys.h"
#include "stack/memory.h"
#include "start.h"

static bool ends_with(const char *path, size_t length, const char *end)
{
	size_t bytes = strlen(end);
	return length >= bytes && memcmp(path + length - bytes, end, bytes) == 0;
}

#define PROC "/proc/"
#define PATH_BYTES 64u /* room for /proc/PID/task/TID/status */

/*
 * Whether `address`, of which the aligned word around it will do, can be read. Nothing but the kernel has read a path yet. A page that this
 * thread has lately found to be there is not asked for again.
 */
static bool is_there(uintptr_t address)
{
	static __thread uint64_t known TLS_IE; /* page number + 1 */
	uint64_t page = address / MEMORY_PAGE + 1;
	if (page == known)
		return true;
	if (!memory_readable(address & ~UINT64_C(7)))
		return false;
	known = page;
	return true;
}

/* The path, where it is one in /proc and not longer than those that matter. Return: false: it is not. */
READS_STACKS static bool proc_path(const char *path, char ret_copy[static PATH_BYTES])
{
	for (size_t i = 0; i < PATH_BYTES; i++) {
		if ((i == 0 || (uintptr_t)(path + i) % MEMORY_PAGE == 0) && !is_there((uintptr_t)(path + i)))
			return false;
		ret_copy[i] = path[i];
		if (i < sizeof PROC - 1 && path[i] != PROC[i])
			return false;
		if (!path[i])
			return true;
	}
	return false;
}

void thread_count_named(const char *path)
{
	char copy[PATH_BYTES];
	if (LIKELY(!proc_path(path, copy)))
		return;
	size_t length = strlen(copy);
	if (ends_with(copy, length, "/stat") || ends_with(copy, length, "/status") ||
	    ends_with(copy, length, "/task") || ends_with(copy, length, "/task/"))
		reporter_step_aside();
}

/* Whether what the kernel says of `path` is of the directory of our tasks. */
static bool is_own_tasks(const char *path, const struct stat *found)
{
	size_t length = strlen(path);
	struct stat own = { .st_ino = 0 };
	return (ends_with(path, length, "task") || ends_with(path, length, "task/")) &&
	       sys_call4(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &own, 0) == 0 &&
	       own.st_dev == found->st_dev && own.st_ino == found->st_ino;
}

/* -- what is in /proc/self/task ------------------------------------------------- */

#define LISTINGS_MOST 4u /* at a time; in one more the reporter is seen. Chosen by feel */

static const void *listings[LISTINGS_MOST];
static uint32_t listings_used; /* so far; 0: the program never looked */

/* Whose path has been read by now. */
static NOINLINE void task_list(const void *handle, const char *path)
{
	struct stat found = { .st_ino = 0 };
	if (sys_call4(SYS_newfstatat, AT_FDCWD, path, &found, 0) != 0 || !is_own_tasks(path, &found))
		return;
	uint32_t number = __atomic_fetch_add(&listings_used, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&listings[number % LISTINGS_MOST], handle, __ATOMIC_RELAXED);
}

void thread_count_task_list(const void *handle, const char *path)
{
	if (UNLIKELY(strncmp(path, PROC, sizeof PROC - 1) == 0))
		task_list(handle, path);
}

void thread_count_closed(const void *handle)
{
	if (LIKELY(!__atomic_load_n(&listings_used, __ATOMIC_RELAXED)))
		return;
	for (unsigned i = 0; i < LISTINGS_MOST; i++)
		if (__atomic_load_n(&listings[i], __ATOMIC_RELAXED) == handle)
			__atomic_store_n(&listings[i], NULL, __ATOMIC_RELAXED);
}

/* Whether the entry is to be passed over: the reporter's, in a listing of our tasks. */
static NOINLINE bool is_hidden(const DIR *directory, const char *name)
{
	bool listing = false;
	for (unsigned i = 0; i < LISTINGS_MOST; i++)
		listing |= __atomic_load_n(&listings[i], __ATOMIC_RELAXED) == directory;
	uint64_t task = 0;
	for (const char *digit = name; listing && *digit >= '0' && *digit <= '9'; digit++)
		task = task * 10 + (uint64_t)(*digit - '0');
	return task && reporter_is_task((int32_t)task);
}

#define MAY_BE_HIDDEN (UNLIKELY(__atomic_load_n(&listings_used, __ATOMIC_RELAXED)))

EXPORT struct dirent *readdir(DIR *directory)
{
	real_ready();
	struct dirent *entry = real.readdir(directory);
	while (MAY_BE_HIDDEN && entry && is_hidden(directory, entry->d_name))
		entry = real.readdir(directory);
	return entry;
}

EXPORT struct dirent64 *readdir64(DIR *directory)
{
	real_ready();
	struct dirent64 *entry = real.readdir64(directory);
	while (MAY_BE_HIDDEN && entry && is_hidden(directory, entry->d_name))
		entry = real.readdir64(directory);
	return entry;
}

/* -- the links of /proc/self/task --------------------------------------------- */

/*
 * `found` is what the kernel says of `path`: where that is the directory of our tasks, each of them has a link in it. There may
 * be no path, where the program asks about a descriptor (AT_EMPTY_PATH).
 */
static int without_reporter(const char *path, int result, struct stat *found)
{
	if (result == 0 && path && S_ISDIR(found->st_mode) && reporter_threads() && found->st_nlink > 3 &&
	    is_own_tasks(path, found))
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
