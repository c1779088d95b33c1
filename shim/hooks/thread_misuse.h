/*
 * Threads that are joined or detached when there is nothing left to join: a second time, after a detach, by themselves. libc
 * refuses most of these calls, and the program gets its answer; what is noted is what libc has refused, for a reason that the
 * record knows, or what it would crash of.
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_THREAD_MISUSE_H
#define WH_HOOKS_THREAD_MISUSE_H

#include "hooks/hook.h"

/* A call that joins or detaches, as it is before the real one: afterwards the pthread_t may be another's. */
struct thread_call {
	uint64_t pthread;
	enum op op;
	bool known;                 /* there is a thread of that name, which nobody has joined */
	struct thread_brief thread; /* where it is known */
};

void thread_call_begin(struct hook *hook, struct thread_call *ret_call, uint64_t pthread, enum op op);

/* `result` is the real call's, as pthread_join has it: 0 or an error. */
void thread_call_end(struct hook *hook, const struct thread_call *call, int result);

#endif
