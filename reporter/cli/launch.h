/*
 * Starting a program with the library preloaded, standing in for it towards the
 * outside (signals, exit status), and standing aside towards the terminal: the
 * program stays in the command's process group and reads the same standard input.
 *
 *   launch_prepare ──▶ launch_start ──▶ launch_wait, until it answers that the program has ended
 *
 * The program gets the signal mask and dispositions that the command itself was started with.
 *
 * Signals are passed on by a thread of their own, from launch_start on.
 *
 * Context: offline. One launch in a process, which must stay where it is.
 */
#ifndef WH_CLI_LAUNCH_H
#define WH_CLI_LAUNCH_H

#include <sys/types.h>

#include "base/types.h"
#include "options.h"

#define LAUNCH_RUN_BYTES 64

struct launch {
	pid_t pid;
	int pidfd;  /* -1: an old kernel */
	int status; /* as waitpid gave it, once it has ended */
	_Atomic bool ended;
	_Atomic bool signalled;     /* the run was told to end: its processes may still be on their way out */
	char run[LAUNCH_RUN_BYTES]; /* the value of WHOHOLDS_RUN */
	char *directory;            /* for recordings; owned; NULL: none could be made */
};

/*
 * Sets the environment that makes the library record. `all_ends`: a process that ends with nothing to report leaves
 * its recording for us, for as long as we are there. Return: 0, or an exit code after a message.
 */
int launch_prepare(struct launch *ret_launch, const struct options *in_force, bool all_ends);

/* Starts it. `path` is what elf_check_find found. Return: 0, or an exit code after a message. */
int launch_start(struct launch *launch, const char *path, char **argv);

/* Waits until the program ends, or `timeout_ms` are over. */
void launch_wait(struct launch *launch, int timeout_ms);

/* What a shell would call the status. */
int launch_exit_code(const struct launch *launch);

void launch_release(struct launch *launch);

#endif
