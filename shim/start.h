/*
 * How the shim comes to life in a process, and how it takes its leave: at start,
 * fork, exec and the end. Hooks call in here and nowhere else for that.
 */
#ifndef WH_START_H
#define WH_START_H

#include "base/context.h"
#include "base/types.h"

enum start_end { START_END_EXIT, START_END_ABORT };

/* Starts the shim in this process, once. Context: the first hook or the constructor. */
void start_shim(void);

/*
 * Around fork, on the forking thread. The child gets a recording of its own and starts afresh.
 * Context: hook.
 */
void start_fork_prepare(void);
void start_fork_parent(void);
void start_fork_child(void);
/* The same in the child that daemon() returns in, whose parent has ended inside libc, with status 0. */
void start_daemon_child(void);

/*
 * The process is about to be replaced; and it was not, after all. In a vfork child, which borrows
 * the parent's memory, both do nothing. Context: hook.
 */
void start_before_exec(void);
void start_exec_failed(void);

/*
 * The process ends now: the detectors of the end run, the report is made. Once only; does nothing
 * in a vfork child. `status` is the exit status, where it is known (else -1). Context: hook; may take its time.
 */
void start_process_ends(int status, enum start_end how);

/* "NAME=value" strings that make a child be followed too; NULL-terminated; empty with children=no. */
const char *const *start_child_environment(void);
/* The path of this library, as it was loaded. */
const char *start_library_path(void);

/*
 * The program is about to put a filter on its system calls. From now on the shim makes none that a
 * filter could punish: it records into what it has, starts no reporter thread, and judges nothing
 * at the end; the recording stays for the command. Context: hook.
 */
void start_sandboxed(void);

/* Names the reason why a report is wanted now and makes one (wh_report). Context: hook. */
void start_report_now(const char *why);

/*
 * Bytes in blocks that were made in `era` or later, are not freed, and that nothing points to any more; 0 where that
 * can't be judged. `frame` is the hook's __builtin_frame_address(0). Takes its time: the other threads are held still. Context: hook; keeps
 * errno.
 */
size_t start_lost_since(uint32_t era, const void *frame);

/*
 * A misuse of a new sort was noted (registry/misuse.h). Where it is `grave`, so that the process may not live to tell
 * of it, and nobody watches the recording, comes back when the reporter thread has told it; in all that takes a
 * process some seconds at the most. So it does with action=abort. Context: hook; keeps errno.
 */
void start_misuse_noted(bool grave);

/*
 * Something was noted that depends on how the process ends. What libc is asked to run when the shim starts it runs last of all, as that is
 * before main; so it is asked again. Context: hook, in a call that the program has made.
 */
void start_want_exit_status(void);

/*
 * The reporter thread: ended and waited for, so that a call which demands a single-threaded
 * process or changes a thread's credentials works as it would without us; and started again.
 * Pausing nests. Return: whether there is something to resume. Context: hook.
 */
bool reporter_pause(void);
void reporter_resume(bool paused);

/*
 * Whether it alone keeps the process from being single-threaded: what the kernel has just refused for that reason is worth another
 * try while it is paused. Context: hook; keeps errno.
 */
bool reporter_in_the_way(void);

/* How many threads of the process the program did not make. Context: hook. */
unsigned reporter_threads(void);
/* Whether that is the kernel's number of such a thread, or of the one before. Context: hook. */
bool reporter_is_task(int32_t tid);

/*
 * The program is about to look how many threads it has, because of what one with several must not do. Where the reporter's is
 * the only other and has nothing to do, it ends, and comes again when it is wanted: with the next wait, or some time after this. Context: hook; keeps errno.
 */
void reporter_step_aside(void);

/* What unshare leaves of that which threads share: the thread's own business, and refused to none. The rest is the process's. */
#define UNSHARED_BY_THREAD (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)

/* Makes sure that the reporter thread runs, if this process has a use for it by now. Context: hook. */
void reporter_want(void);
/* The same where nothing waits for long: not within moments of having stepped aside. */
void reporter_want_later(void);
/* The same, where this alone is use enough. Context: hook. */
void reporter_want_now(void);
/* The same for callers that know the time (CLOCK_MONOTONIC). Context: hook. */
void reporter_want_at(nsec_t at);

#endif
