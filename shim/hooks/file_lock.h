/*
 * Locks on files, where threads can get in one another's way: those that belong to an open file
 * (flock, fcntl's F_OFD_SETLK and F_OFD_SETLKW). What a process takes for all of it (lockf, fcntl's
 * F_SETLK) never keeps a thread of its own waiting, so of those only the waits are recorded.
 *
 * The object is the file, whatever descriptor it was opened as. Which thread took a lock is
 * recorded here; whether it has it still, since closing the last descriptor gives it back as well, the
 * kernel says when it matters (reporter/probe_file.c).
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_FILE_LOCK_H
#define WH_HOOKS_FILE_LOCK_H

#include "hooks/hook.h"

/* Begins a wait for a lock on the file behind `fd`; the hook's scope ends it. */
void file_lock_wait(struct hook *hook, int fd, enum mode mode, enum op op);
/* The calling thread has got one that belongs to the open file, in place of any that it had of that file. */
void file_lock_taken(struct hook *hook, int fd, enum mode mode, enum op op);
void file_lock_released(int fd);

#endif
