/*
 * The stacks of a process that is not ours, read without stopping it: from the program counter and
 * stack pointer that /proc shows of a blocked thread, with the rules of .eh_frame. Other registers are not known,
 * so a stack ends early where a rule needs one that no frame has saved.
 *
 * Context: offline.
 */
#ifndef WH_CLI_BARE_STACK_H
#define WH_CLI_BARE_STACK_H

#include <sys/types.h>

#include "base/types.h"

struct bare_stacks;

/* `memory` is a descriptor of /proc/PID/mem. NULL: not possible. */
struct bare_stacks *bare_stacks_open(pid_t pid, int memory);

/*
 * The frames of a thread, innermost first: the first is the instruction that it is at, the others return addresses.
 * `ret_whole`: whether the outermost frame was reached. Return: how many, at least 1 of a `pc` that is not 0.
 */
size_t bare_stack_of(struct bare_stacks *stacks, uint64_t pc, uint64_t sp, uint64_t *ret_frames, size_t room,
		     bool *ret_whole);

void bare_stacks_close(struct bare_stacks *stacks);

#endif
