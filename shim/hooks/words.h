/*
 * What libc's own words say of a lock: whether it is taken, and by whom. What hooks have recorded may lack an
 * event (one in a signal handler, one from before the start), so nobody is accused of anything unless these agree.
 *
 * Read out of glibc's structures, whose layout is part of its interface: static initialisers and inline
 * functions are compiled into programs.
 *
 * Context: hook. They only read, and what they read may change at any time.
 */
#ifndef WH_HOOKS_WORDS_H
#define WH_HOOKS_WORDS_H

#include "base/types.h"
#include "registry/kind.h"

enum word_state {
	WORD_UNKNOWN, /* destroyed, elided, or of a kind without words */
	WORD_FREE,
	WORD_TAKEN,
};

struct lock_words {
	enum word_state state;
	int32_t
	    owner; /* the kernel's number of the thread that has it for itself; 0: it is not written there */
	uint32_t readers;  /* of a rwlock, where readers have it: how many */
	bool shared;       /* between processes */
	bool checks_owner; /* a mutex whose type refuses an unlock by another thread, as POSIX has it */
};

/* Of a mutex, rwlock or spin lock at `handle`. */
struct lock_words words_of(enum kind kind, uint64_t handle);

/*
 * How many threads are blocked in the semaphore or barrier at `handle` and can't be let go by what has
 * happened so far; those inside a wait for the condition variable, woken ones that have not left included.
 */
uint32_t words_waiters(enum kind kind, uint64_t handle);

/*
 * A number for what the words of a free readers-writer lock say and neither an initialiser leaves nor a lock that only readers have had: by it one
 * is known that nobody has initialised since. 0: nothing; and where other processes have it, too.
 */
uint64_t words_left(uint64_t rwlock);

#endif
