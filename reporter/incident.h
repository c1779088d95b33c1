/*
 * Incidents: what the watchdog remembers from look to look, so that each trouble
 * is reported once while it lasts and once when it is over.
 *
 *   candidate ──(same key and witness in as many looks in a row as its kind needs)──▶ reported
 *   reported ──(gone in two looks in a row, and its subjects have moved on)──▶ over, reported so
 *
 * A candidate that comes with another witness has moved meanwhile and starts again.
 * One that was reported is not reported again, whoever else comes to wait.
 *
 * "Moved on" is asked of the snapshot: a thread that still stands in the very wait that
 * was reported, or still has the very hold, is still in that trouble, even where the
 * detectors tell of it differently by now (as somebody's waiter, or because
 * one copy was torn). Where a finding has no such subject (an alert over counters), it is
 * over when it was gone for as long as its limit, lest it flicker.
 *
 * One owner, no locking. Memory is the caller's; what finds no room is counted in
 * `lost` and not reported, rather than at each look. Context: reporter.
 */
#ifndef WH_REPORTER_INCIDENT_H
#define WH_REPORTER_INCIDENT_H

#include "reporter/finding.h"

struct incident;

struct incidents {
	struct incident *table;
	uint32_t count, room;
	uint32_t events; /* of them what has happened, and stays for good: half the room at the most */
	uint64_t lost;   /* candidates, each counted at each look, that could not be followed */
};

/* About 600 bytes of memory an incident, touched as it is used: half of them are more than there are misuses. */
#define INCIDENTS_BYTES ((size_t)1024 * 1024)

/* Called for each finding to report; it belongs to the caller's list, or is valid during the call. */
typedef void incident_report(const struct finding *finding, void *data);

/* `memory` is zeroed, 16-byte aligned, and stays with `incidents`. */
void incidents_init(struct incidents *incidents, void *memory, size_t bytes);

/* One look: the candidates that the detectors found in `snapshot`. */
void incidents_update(struct incidents *incidents, const struct finding_list *candidates,
		      const struct snapshot *snapshot, incident_report *report, void *data);

/* Whether the incident with that key was reported and is not over: at the end it need not be told again. */
bool incidents_reported(const struct incidents *incidents, uint64_t key);

/*
 * How much of a log of `room` bytes may be full where this finding is to go: what comes and goes for days leaves room for errors,
 * and those for deadlocks. Context: signal.
 */
uint64_t incident_log_share(const struct finding *finding, uint64_t room);

#endif
