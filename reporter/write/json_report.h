/*
 * The parts of the JSON report, for json*.c alone. Each puts its key into the object that is open.
 *
 *   json.c           the report, and what several parts put: stacks, ages, names of objects
 *   json_head.c      the process, what was recorded of it, the search, the summary
 *   json_finding.c   a finding
 *   json_threads.c   threads with what they hold and wait for, those that have ended as well
 *   json_objects.c   what is held and waited for
 *   json_locks.c     locks by how they were used
 *   json_memory.c    sites and mappings
 *   json_why.c       the answer to why something is alive
 *
 * Context: reporter.
 */
#ifndef WH_WRITE_JSON_REPORT_H
#define WH_WRITE_JSON_REPORT_H

#include "reporter/write/accounts.h"
#include "reporter/write/gone.h"
#include "reporter/write/json_out.h"
#include "reporter/write/locks.h"
#include "reporter/write/objects.h"

struct json_report {
	struct json json;
	struct names names;
	struct accounts accounts;
	struct gone_threads gone;
	struct lock_table locks;
};

#define JSON_SITES_MAX 100u /* past these nobody reads on, and a big server has tens of thousands */

/* A number; null: 0, which says that it is not known. */
void json_known(struct json *json, const char *key, uint64_t value);

/* A text of the recording; null: it has none. */
void json_text(struct json_report *self, const char *key, text_id text);

/* An age in seconds; null where it is unknown. */
void json_age(struct json *json, const char *key, nsec_t since, nsec_t until);

/* The id of a stack that is in "stacks" then; null: it has no frames. And its frames themselves. */
void json_stack_id(struct json *json, const char *key, const struct named_stack *stack);
void json_frames(struct json *json, const struct named_stack *stack);

/* The id of an object that is in "objects" then; null: there is none. */
void json_object_id(struct json_report *self, const char *key, const struct object *object);

void json_process(struct json_report *self);
void json_coverage(struct json_report *self);
/* The search that the findings are from. */
void json_search(struct json_report *self, const struct rec_scan *scan);
void json_summary(struct json_report *self);
void json_why(struct json_report *self, const struct rec_why *why);
void json_findings(struct json_report *self);
void json_threads(struct json_report *self);
/* Adds to the objects, so it comes before them. */
void json_locks(struct json_report *self);
void json_objects(struct json_report *self);
void json_sites(struct json_report *self);
/* What the program has mapped itself, where the option asks for it. */
void json_mappings(struct json_report *self);

#endif
