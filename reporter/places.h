/*
 * Where locks lie that no symbol names: in which block of the heap, on whose stack
 * and in which of its frames, in whose thread-local storage, in which shared file.
 * Only the process itself knows, and only while it is so: the reporter thread looks
 * it up for what a thread holds or waits for at the moment, and enters it in
 * REC_PLACES.
 *
 * What is not certain is not entered. A lock that somebody holds or waits for stays where it
 * is; so what was found while that lasted is true as long as it lasts.
 *
 * One thread at a time. Context: reporter.
 */
#ifndef WH_REPORTER_PLACES_H
#define WH_REPORTER_PLACES_H

#include "reporter/finding.h"

/* Of what has been held or waited for since before the last tick; so many new ones a call, the rest next time. */
void places_look(const struct snapshot *snapshot, nsec_t tick);

/* Fills finding_item.place of what the snapshot shows to be held or waited for. */
void places_of_findings(const struct snapshot *snapshot, const struct finding_list *found);

/* In a fork child: nothing is known any more. */
void places_fork_child(void);

#endif
