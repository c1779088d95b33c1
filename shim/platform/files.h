/*
 * Descriptors of a guest thread. It has a table of its own, which is empty when the guest begins: what
 * it opens takes no number that the program counts on, and it keeps nothing open that the program closes,
 * so the other end of a pipe sees its end, and a lock on a file goes when it should. (The kernel keeps fcntl locks
 * by table: what a guest opens and closes drops none of the program's.)
 *
 * Context: reporter.
 */
#ifndef WH_PLATFORM_FILES_H
#define WH_PLATFORM_FILES_H

#include "base/types.h"

/*
 * Flags of guest_clone for a guest that will call files_part, CLONE_FILES or 0: whether it can part by one system
 * call that has to be allowed. Context: hook.
 */
unsigned long files_clone_flags(void);

/*
 * Gives the calling guest, cloned with `flags`, its own table, with nothing but /dev/null as the standard three. Where the kernel would have to copy it first,
 * files are open in both for as long as that takes; nobody can tell unless he closes one meanwhile.
 */
void files_part(unsigned long flags);

/*
 * Opens /dev/null as each of the standard descriptors from `first` to `last` that is closed, so that no other file becomes
 * one. Context: signal, in a child that is about to execute something, or reporter.
 */
void files_stand_in(int first, int last);

/* Closes all from `first` on, where that is one system call; else what is not closed on exec stays. Context: the same. */
void files_close_from(int first);

/*
 * The program's descriptor `number`, as it is now, in the calling guest's table; to be closed. Where the kernel does not
 * hand it out (before Linux 5.6, or by a filter on system calls), the file is opened anew for appending, which
 * sockets refuse. Return: a descriptor, or -errno.
 */
int files_take(int number);

/* The same, but nothing is opened where the kernel does not hand it out. */
int files_borrow(int number);

#endif
