/*
 * What a thread waits for as the kernel sees it (/proc/PID/task/TID/syscall), and what
 * glibc's own lock words add to that: a futex address is a mutex whose owner stands 8 bytes
 * further on, an rwlock whose writer stands 24 bytes further on, or the tid word of a thread that is joined.
 *
 * The words are read without stopping anything, so each guess is checked for what it must look like:
 * the owner has to be a thread of the process.
 *
 * Context: offline.
 */
#ifndef WH_CLI_KERNEL_WAIT_H
#define WH_CLI_KERNEL_WAIT_H

#include <sys/types.h>

#include "base/types.h"
#include "registry/kind.h"

struct kernel_wait {
	bool known;       /* the kernel told: else it is not permitted, or the thread is gone */
	bool in_call;     /* blocked in a system call */
	long number;      /* of the call */
	uint64_t sp, pc;  /* 0: it runs */
	char channel[48]; /* where in the kernel; "" where that is not told */
	enum kind kind;   /* KIND_NONE: not a call that is known to block */
	enum op op;
	enum mode mode;
	bool timed;
	uint64_t handle; /* of the object: a lock's own address, not the futex word's */
	int32_t owner;   /* tid, as the process sees it, of who holds the lock; 0: not known */
	int32_t joined;  /* tid of the thread whose end is waited for; 0: none */
};

/*
 * `memory` is a descriptor of /proc/PID/mem, or -1; `tids` are those of the process as it sees them itself.
 */
void kernel_wait_look(pid_t pid, pid_t tid, int memory, const int32_t *tids, size_t tid_count,
		      struct kernel_wait *ret_wait);

#endif
