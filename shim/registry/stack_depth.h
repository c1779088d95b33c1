/*
 * How deep the threads' stacks have been: whether one of them has come near to its end (the option stack_depth).
 *
 * Nothing is measured while functions are called. The kernel knows which pages of a stack have ever been touched; the
 * deepest part of it is asked for when a thread ends, and now and then before. It is read, where
 * there are pages, and never touched where there are none: what is not zero there was written by a function that ran
 * so deep. (Pages of zeros may be there for other reasons: large pages, locked memory, a program that faults its stack in.)
 *
 *   - A stack that had something in that part when its thread began (one given by the program and used
 *     before) says nothing, and is not judged. Those that libc keeps for the next thread are emptied by it.
 *   - Whether the end is where it should be is asked before anything is said: pages of glibc's stacks end at a guard.
 *   - What the hooks of this library need themselves is not put down to the program.
 *
 * What is found is a misuse (misuse.h), once for each place that makes threads.
 */
#ifndef WH_REGISTRY_STACK_DEPTH_H
#define WH_REGISTRY_STACK_DEPTH_H

#include "base/context.h"
#include "registry/format.h"

/* On the new thread, whose slot has the size that was asked for, and where the program gave the memory, where it lies. Context: hook. */
void stack_depth_thread_begin(struct rec_thread *slot);

/* On the thread, at its end. Context: hook. */
void stack_depth_thread_end(struct rec_thread *slot);

/* Looks at the main thread's stack, and at some of the others', the next ones each time. Context: reporter. */
void stack_depth_look(void);

/* Looks at all of them. Context: hook, at the end of the process. */
void stack_depth_look_all(void);

/* Where the main thread's stack begins and may end: before the program could change anything. Context: init. */
void stack_depth_start(void);

/* In a fork child: what the parent has done there is not its doing. Context: hook. */
void stack_depth_fork_child(void);

#endif
