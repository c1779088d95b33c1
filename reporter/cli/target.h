/*
 * What the kernel says about the threads of a running process, read from /proc.
 * Nothing is asked of the process: it may be hung, stopped, or out of its mind.
 *
 * Context: offline.
 */
#ifndef WH_CLI_TARGET_H
#define WH_CLI_TARGET_H

#include <sys/types.h>

#include "registry/snapshot.h"
#include "reporter/recording/reader.h"

/*
 * Fills kernel_state and cpu_ns of the snapshot's threads from process `pid`, which may have other numbers
 * in the recording's pid namespace.
 */
void target_look(struct snapshot *snapshot, pid_t pid);

/*
 * Fills in, for threads that are blocked where no hook saw it, what they wait for and their stacks (from the system
 * call, the stack pointer and .eh_frame). For reports alone: after this, detectors must not see the snapshot.
 * `reader` is what the snapshot's view belongs to.
 */
void target_complete(struct snapshot *snapshot, struct reader *reader, pid_t pid);

/* The tid as the process itself sees it, in the innermost pid namespace; 0: the thread is gone. */
int32_t target_own_tid(pid_t pid, pid_t tid);

/* Why process `pid` can't be looked into, or NULL: a zombie, a kernel thread. */
const char *target_unfit(pid_t pid);

#endif
