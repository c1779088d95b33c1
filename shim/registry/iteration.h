/*
 * How long iterators are open, by where they were opened: for each such stack a histogram of bounded size in the
 * recording (rec_iteration), and the counts of the last while, which the reporter judges (iteration-slow).
 *
 * Found without a lock, entered under one; counters are added to atomically, and a counter that somebody turns over
 * at that moment may miss one.
 */
#ifndef WH_REGISTRY_ITERATION_H
#define WH_REGISTRY_ITERATION_H

#include "base/context.h"
#include "registry/format.h"

#define ITERATIONS_MOST 1024u

/*
 * `was`, which the thread has just closed, was an iterator; it is `now` (CLOCK_MONOTONIC, ns). Context: hook, with self.busy held by the
 * caller, one thread at a time.
 */
void iteration_ended(const struct rec_hold *was, nsec_t now);

/*
 * The next of the parts begins, whose counts are those of long ago: to be called three times in the time that
 * the option iteration_slow names. Context: reporter.
 */
void iteration_next_part(void);

/* In a fork child: its counts begin anew. Context: hook. */
void iteration_fork_child(void);

#endif
