#include "reporter/incident.h"

#include <string.h>

#include "reporter/detect/detect.h"

/* Of a longer cycle the first few threads stand for all of it: it comes undone for all at once. */
#define SUBJECTS_MOST 4u

/* How many looks in a row have to miss what is to be over. */
#define ABSENT_LOOKS 2u

struct incident {
	uint64_t key, witness;
	uint32_t looks;  /* in a row, with this witness */
	uint32_t absent; /* looks in a row without it */
	nsec_t absent_since;
	bool reported;
	bool seen; /* in this look */
	bool is_event;
	/* The finding as it was reported, with its subjects alone. */
	_Alignas(8) unsigned char first[sizeof(struct finding) + SUBJECTS_MOST * sizeof(struct finding_item)];
};

void incidents_init(struct incidents *incidents, void *memory, size_t bytes)
{
	*incidents = (struct incidents){
		.table = memory,
		.room = (uint32_t)MIN_OF(bytes / sizeof(struct incident), UINT32_MAX),
	};
}

static struct finding *first_of(struct incident *incident)
{
	return (struct finding *)(void *)incident->first;
}

static struct incident *incident_find(const struct incidents *incidents, uint64_t key)
{
	for (uint32_t i = 0; i < incidents->count; i++)
		if (incidents->table[i].key == key)
			return &incidents->table[i];
	return NULL;
}

static struct incident *incident_make(struct incidents *incidents, const struct finding *candidate)
{
	bool is_event = detect_is_event(candidate->kind);
	if (incidents->count == incidents->room ||
	    (is_event && incidents->events >= (incidents->room + 1) / 2)) {
		incidents->lost++;
		return NULL;
	}
	struct incident *incident = &incidents->table[incidents->count++];
	*incident =
	    (struct incident){ .key = candidate->key, .witness = candidate->witness, .is_event = is_event };
	incidents->events += is_event;
	return incident;
}

static void keep_subjects(struct incident *incident, const struct finding *finding)
{
	struct finding *first = first_of(incident);
	memcpy(first, finding, sizeof(*finding));
	first->item_count = 0;
	for (uint32_t i = 0; i < finding->item_count && first->item_count < SUBJECTS_MOST; i++)
		if (finding->items[i].flags & ITEM_SUBJECT)
			first->items[first->item_count++] = finding->items[i];
	first->bytes = (uint32_t)(sizeof(*first) + first->item_count * sizeof(first->items[0]));
}

/* -- whether it still lasts ------------------------------------------------ */

enum standing { STANDS, MOVED, NO_SUBJECT };

static enum standing wait_stands(const struct finding_item *item, const struct snapshot *snapshot)
{
	const struct snap_thread *thread = snapshot_thread(snapshot, item->thread);
	if (!thread)
		return MOVED;
	return thread->torn || (thread->waiting && thread->wait.serial == item->serial) ? STANDS : MOVED;
}

static bool is_among(const struct finding_item *item, const struct rec_hold *holds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (holds[i].owner == item->thread && holds[i].serial == item->serial &&
		    holds[i].kind == item->object_kind)
			return true;
	return false;
}

static enum standing hold_stands(const struct finding_item *item, const struct snapshot *snapshot)
{
	const struct snap_thread *thread = snapshot_thread(snapshot, item->thread);
	if (kind_has(item->object_kind, KIND_IS_RESOURCE))
		return is_among(item, snapshot->resources, snapshot->resource_count) ? STANDS : MOVED;
	if (!thread)
		return MOVED;
	return thread->torn || is_among(item, thread->holds, thread->hold_count) ? STANDS : MOVED;
}

static enum standing item_stands(const struct finding_item *item, const struct snapshot *snapshot)
{
	if (!item->serial || !item->thread)
		return NO_SUBJECT;
	switch (item->role) {
	case ROLE_waits:
	case ROLE_blocked:
		return wait_stands(item, snapshot);
	case ROLE_acquired:
	case ROLE_opened:
		return hold_stands(item, snapshot);
	default:
		return NO_SUBJECT;
	}
}

/* Every subject must stand where it stood: one that moved on has opened the cycle. */
static enum standing incident_stands(struct incident *incident, const struct snapshot *snapshot)
{
	const struct finding *first = first_of(incident);
	enum standing all = NO_SUBJECT;
	for (uint32_t i = 0; i < first->item_count; i++) {
		enum standing one = item_stands(&first->items[i], snapshot);
		if (one == MOVED)
			return MOVED;
		if (one == STANDS)
			all = STANDS;
	}
	return all;
}

/* Counts a look without it. Return: whether it is over. */
static bool incident_missed(struct incident *incident, const struct snapshot *snapshot)
{
	enum standing standing = incident_stands(incident, snapshot);
	/* What happened has happened, and is looked for only when there is something new. */
	if (standing == STANDS || incident->is_event) {
		incident->absent = 0;
		return false;
	}
	if (!incident->absent++)
		incident->absent_since = snapshot->now;
	if (incident->absent < ABSENT_LOOKS)
		return false;
	nsec_t gone = snapshot->now > incident->absent_since ? snapshot->now - incident->absent_since : 0;
	return standing == MOVED || gone >= first_of(incident)->limit;
}

static void report_over(struct incident *incident, const struct snapshot *snapshot, incident_report *report,
			void *data)
{
	struct finding *first = first_of(incident);
	first->flags |= FOUND_OVER;
	first->at = snapshot->now;
	first->over = incident->absent_since;
	report(first, data);
}

/* -- a look ---------------------------------------------------------------- */

static void follow(struct incidents *incidents, const struct finding *candidate, incident_report *report,
		   void *data)
{
	struct incident *incident = incident_find(incidents, candidate->key);
	if (!incident)
		incident = incident_make(incidents, candidate);
	if (!incident || incident->seen)
		return;
	incident->seen = true;
	incident->absent = 0;
	if (incident->reported)
		return;
	if (incident->witness != candidate->witness)
		incident->looks = 0;
	incident->witness = candidate->witness;
	if (++incident->looks < detect_looks(candidate->kind))
		return;
	incident->reported = true;
	keep_subjects(incident, candidate);
	report(candidate, data);
}

void incidents_update(struct incidents *incidents, const struct finding_list *candidates,
		      const struct snapshot *snapshot, incident_report *report, void *data)
{
	for (uint32_t i = 0; i < incidents->count; i++)
		incidents->table[i].seen = false;
	for (uint32_t i = 0; i < candidates->count; i++)
		follow(incidents, candidates->found[i], report, data);

	/* Where memory ran out, what is missing may just not have been looked at. */
	bool whole = !candidates->incomplete && !snapshot->incomplete;
	uint32_t kept = 0, events = 0;
	for (uint32_t i = 0; i < incidents->count; i++) {
		struct incident *incident = &incidents->table[i];
		bool over = false;
		if (!incident->seen && incident->reported && whole)
			over = incident_missed(incident, snapshot);
		if (over)
			report_over(incident, snapshot, report, data);
		if (over || (!incident->seen && !incident->reported))
			continue;
		if (kept != i)
			memcpy(&incidents->table[kept], incident, sizeof(*incident));
		events += incident->is_event;
		kept++;
	}
	incidents->count = kept;
	incidents->events = events;
}

uint64_t incident_log_share(const struct finding *finding, uint64_t room)
{
	if (finding->kind == FINDING_deadlock)
		return room;
	if (finding->severity == SEVERITY_ERROR && !(finding->flags & FOUND_OVER))
		return room / 16 * 15;
	return room / 4 * 3;
}

bool incidents_reported(const struct incidents *incidents, uint64_t key)
{
	const struct incident *incident = incident_find(incidents, key);
	return incident && incident->reported;
}
