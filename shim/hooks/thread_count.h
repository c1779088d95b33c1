/*
 * Programs ask /proc how many threads they have, and refuse to work, or warn, where it is more than one: Chromium's zygotes by the
 * links of the directory of tasks, Python from 3.12 on in its stat before a fork, others by the entries of that directory until
 * theirs is the only one. The reporter's thread is not to be among them.
 */
#ifndef WH_HOOKS_THREAD_COUNT_H
#define WH_HOOKS_THREAD_COUNT_H

/* The program is about to open `path`, to read it; NULL: it has no name. Context: hook; keeps errno. */
void thread_count_opened(const char *path);

/* `handle` is a directory that was opened by that path; NULL: none. closedir gives it back. Context: hook. */
void thread_count_listed(const void *handle, const char *path);
void thread_count_closed(const void *handle);

#endif
