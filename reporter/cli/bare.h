/*
 * What can be said of a process that was not started under whoholds: what the kernel
 * tells of each thread (state, system call, program counter), and what glibc writes
 * into a lock's own words (the owner of a mutex, the writer of an rwlock), read
 * from outside. Nothing is stopped or changed.
 *
 * Made into a recording in memory, so that detectors and writers are those of any other
 * report. What it can't know (when and where locks were taken, readers of an rwlock, semaphores,
 * memory) is said, with how to get it next time.
 *
 * Context: offline.
 */
#ifndef WH_CLI_BARE_H
#define WH_CLI_BARE_H

#include <sys/types.h>

#include "reporter/cli/render.h"

/* Return: an exit code, after messages. */
int bare_dump(struct renderer *renderer, pid_t pid);

#endif
