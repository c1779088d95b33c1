/*
 * Threads that were joined or detached, and by whom: the newest of them, so that a second join or detach can be told of
 * with the first one. What a pthread_t stood for is all that is left of a thread then; a newer thread may have the same,
 * and whoever asks looks for that one first (thread_brief).
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_FAREWELL_H
#define WH_REGISTRY_FAREWELL_H

#include "registry/thread.h"

struct farewell {
	struct thread_brief thread;
	nsec_t at;       /* CLOCK_MONOTONIC */
	stack_id stack;  /* where it was joined or detached; 0: it was made detached */
	thread_id by;    /* who did */
	text_id by_name; /* as it was called then */
	enum op op;      /* OP_none: it was made detached */
};

/* That thread was joined or detached by the calling one: `op`, at `stack`. */
void farewell_say(const struct thread_brief *thread, enum op op, stack_id stack);

/* The newest of the thread that had `pthread`. Return: false: none is known. */
bool farewell_find(uint64_t pthread, struct farewell *ret_farewell);

/* In a fork child: the parent's threads are nobody's there. */
void farewell_fork_child(void);

#endif
