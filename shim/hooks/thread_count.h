/*
 * Programs ask /proc how many threads they have, and refuse to work, or warn, where it is more than one: Chromium's zygotes by the
 * links of the directory of tasks, Python from 3.12 on in its stat before a fork, others by the entries of that directory until
 * theirs is the only one. The reporter's thread is not to be among them.
 */
#ifndef WH_HOOKS_THREAD_COUNT_H
#define WH_HOOKS_THREAD_COUNT_H

#include "base/types.h"

void thread_count_named(const char *path);
void thread_count_task_list(const void *handle, const char *path);

/*
 * The program is about to open `path`, to read it; NULL: it has no name. It may be no address at all, which the kernel
 * would answer with EFAULT. Context: hook; keeps errno.
 */
static inline void thread_count_opened(const char *path)
{
	if (path)
		thread_count_named(path);
}

/* `handle` is a directory that was opened by that path; NULL: none. closedir gives it back. Context: hook. */
static inline void thread_count_listed(const void *handle, const char *path)
{
	if (path && handle)
		thread_count_task_list(handle, path);
}

void thread_count_closed(const void *handle);

#endif
