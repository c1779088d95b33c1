/*
 * What only the kernel and libc's own words know of the process's threads, added to a
 * snapshot before it is judged (context: reporter, in the target itself):
 *
 *   - waits that no hook saw: a thread that is asleep in a futex inside of libc (a stream's lock, the
 *     loader's, a mutex locked on a way round the shim);
 *   - owners that no hook saw: who has a mutex, by the word that libc keeps in it;
 *   - who is asleep in a condition that others use in another way, and so has not been woken;
 *   - whether readers queue behind a waiting writer;
 *   - whether the whole process is asleep for good, with nobody left to wake it.
 *
 * Nothing is stopped, signalled or changed for it. It costs nothing as long as no thread waits for
 * another one.
 */
#ifndef WH_REPORTER_PROBE_H
#define WH_REPORTER_PROBE_H

#include "registry/snapshot.h"

void probe_threads(struct snapshot *snapshot);

/*
 * Of locks on files: takes out holds that are over (the descriptor was closed), and asks who has what
 * is waited for, in this process or another. Part of probe_threads.
 */
void probe_file_locks(struct snapshot *snapshot);

/*
 * Takes out the mutexes that nobody has any more by libc's own words, for the looks at a process's end: they were unlocked in
 * a way that no hook sees (libc's function looked up by its handle, another namespace). And robust ones, which are made to be left:
 * also those that no call of this process has initialised. Context: hook, of the thread that ends it.
 */
void probe_mutexes(struct snapshot *snapshot);

/*
 * Of locks that lie on the stacks of threads that wait: takes out those that nobody has any more by libc's own words, and
 * asks where in the kernel the threads stand. A memory access and a question for each of the few that are held so.
 */
void probe_stack_locks(struct snapshot *snapshot);

/* In a fork child: what was seen of the parent's threads is none of its business. */
void probe_fork_child(void);

#endif
