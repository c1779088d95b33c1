/*
 * Why something is alive, as a key of the JSON report.
 *
 * Context: reporter.
 */
#ifndef WH_WRITE_JSON_WHY_H
#define WH_WRITE_JSON_WHY_H

#include "reporter/write/json_out.h"
#include "reporter/write/names.h"

/* Puts "why", an object, into the one that is open. */
void json_why(struct json *json, struct names *names, const struct rec_why *why);

#endif
