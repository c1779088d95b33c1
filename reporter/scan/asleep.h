/*
 * Threads that sleep in a wait which a hook has begun. What they have in registers is known without stopping them, which
 * would interrupt their system call: the hook has put what a function must preserve onto the thread's stack (hook_keep),
 * all else is dead across a call, and the kernel says what the call's arguments are and where the stack ends.
 *
 *   frames of the program
 *   the hook's       registers that it keeps         ◀─ rec_wait.sp
 *   libc's           less than a handler of signals would have at the least
 *                                                    ◀─ stack pointer in the call
 *
 * Whoever is woken meanwhile is found to have run (task_turns), and is stopped as all others are.
 */
#ifndef WH_REPORTER_SCAN_ASLEEP_H
#define WH_REPORTER_SCAN_ASLEEP_H

#include "reporter/scan/stop.h"

/* A stop_knows. Context: reporter, its tracer; hook at the end of the process. */
bool asleep_known(struct stop *stop, struct stop_thread *thread, uint64_t *ret_words);

#endif
