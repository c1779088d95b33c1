/*
 * Processes as the kernel tells of them, and whether the one that a recording
 * belongs to still runs.
 *
 * A pid alone names nobody: it is used again, and it means another process in
 * another pid namespace. A pid together with the process's start (clock ticks
 * since boot, field 22 of /proc/PID/stat) names one process for ever.
 *
 * Context: offline.
 */
#ifndef WH_RECORDING_PROCESS_H
#define WH_RECORDING_PROCESS_H

#include <sys/types.h>

#include "base/context.h"
#include "registry/format.h"

/* Of /proc/PID/stat or /proc/PID/task/TID/stat. */
struct process_stat {
	char name[64]; /* comm */
	char state;    /* R S D T t Z X I */
	pid_t parent;
	uint64_t flags;     /* PF_* of the kernel */
	uint64_t cpu_ticks; /* user and system */
	int64_t threads;
	uint64_t started_boot_ticks;
};

#define PROCESS_KERNEL_THREAD 0x00200000u /* PF_KTHREAD */

/* `tid` 0: the process itself. Return: 0, -ESRCH, or another negative errno. */
int process_stat(pid_t pid, pid_t tid, struct process_stat *ret_stat);

/* The whole of a small file of /proc, NUL-terminated and cut to bytes - 1. Return: its length or -errno. */
ssize_t process_file(char *ret_text, size_t bytes, const char *path_format, ...) PRINTF(3, 4);

/* Whether a process that has ended only waits for its parent to notice. */
bool process_is_zombie(const struct process_stat *stat);

/*
 * The pid, in this namespace, of the process that a recording belongs to; 0: it has ended. Where it runs in a
 * namespace that can't be seen from here, -1: a reporter thread that ticked a moment ago is all that tells.
 */
pid_t process_of(const struct rec_header *header);

/* When it ended, or was last heard of: the newest moment that the header knows of (CLOCK_MONOTONIC). */
nsec_t process_last_moment(const struct rec_header *header);

nsec_t process_now(void); /* CLOCK_MONOTONIC */

#endif
