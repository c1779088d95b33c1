/*
 * The stack of another thread that is blocked, from outside: the kernel tells its
 * stack pointer and where in the code it is, the rest is in its memory. It is neither stopped
 * nor signalled, so it may wake up at any moment: nothing of it is read in place, and in the end
 * the kernel is asked whether it has run meanwhile.
 *
 * Its other registers are not to be had. Most of the way the stack pointer is enough; where a
 * frame pointer is asked for that no inner frame has saved, the way ends, and the stack
 * is marked truncated. One such place is common and can be crossed: a hook, whose frame
 * the thread itself has noted in its wait (rec_wait.sp).
 */
#ifndef WH_STACK_REMOTE_H
#define WH_STACK_REMOTE_H

/* stack_of_thread, declared in stack/stack.h, lives here. */

/* Whoever was looking at a thread is not in this process. Context: hook, in a fork child. */
void remote_fork_child(void);

#endif
