/*
 * What the kernel says of one thread in /proc/PID/task, without the thread's knowing.
 *
 * `tasks_fd` is that folder. All functions: Context: reporter, or a tracer that has nothing but raw system calls.
 */
#ifndef WH_REPORTER_SCAN_TASK_H
#define WH_REPORTER_SCAN_TASK_H

#include "base/types.h"

/* The state letter of a thread; 0: it is gone. */
char task_state(int tasks_fd, int32_t tid);

/* The system call that a thread is blocked in. */
struct task_call {
	uint64_t number;
	uint64_t arguments[6];
	uint64_t sp, pc;
};

/* Return: false: it is in none, it runs, or that is not for us to know. */
bool task_call(int tasks_fd, int32_t tid, struct task_call *ret_call);

/*
 * Grows as soon as the thread has had a processor: the same twice, and it has not run in between. 0: the kernel does
 * not count that.
 */
uint64_t task_turns(int tasks_fd, int32_t tid);

#endif
