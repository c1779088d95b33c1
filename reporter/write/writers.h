/*
 * Writers: a report in, bytes out. Which there are is in writers.def.
 *
 * Context: reporter. A writer takes memory from the report's arena and gives none
 * back. Return: 0, -ENOMEM, or the error of the sink.
 */
#ifndef WH_WRITE_WRITERS_H
#define WH_WRITE_WRITERS_H

#include "reporter/write/report.h"

struct writer {
	const char *name;
	int (*write)(const struct report *report, struct sink *sink);
	const char *sentence;
};

extern const struct writer writers[]; /* ends with a NULL name */

/* NULL: no such format in this version. */
const struct writer *writer_find(const char *name);

/* Writes nothing at all for a report at an exit where nothing was found, save in verbose reports. */
int write_text(const struct report *report, struct sink *sink);

/* One line. */
int write_json(const struct report *report, struct sink *sink);

/* Chrome's trace events, one JSON object. */
int write_trace(const struct report *report, struct sink *sink);

/* One screen of `whoholds top`; no format of reports. */
int write_top(const struct report *report, struct sink *sink);

#endif
