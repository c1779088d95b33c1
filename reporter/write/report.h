/*
 * A report: what one process was found to do, at one moment. Writers turn it
 * into bytes for a sink; the same report in text, JSON or any other format.
 *
 * Context: reporter (no malloc, no stdio), since the library writes reports
 * itself where there is no command to do it.
 */
#ifndef WH_WRITE_REPORT_H
#define WH_WRITE_REPORT_H

#include "base/arena.h"
#include "registry/snapshot.h"
#include "reporter/finding.h"
#include "reporter/write/frames.h"

/* Where bytes go. `put` gets whole pieces; after an error it is not called again and `error` stays. */
struct sink {
	int (*put)(struct sink *self, const char *bytes, size_t count); /* 0 or -errno */
	int error;
	void *data;
};

enum trigger { TRIGGER_EXIT, TRIGGER_THRESHOLD, TRIGGER_REQUEST, TRIGGER_CRASH };

struct report {
	const struct view *view;
	const struct snapshot *snapshot;
	struct symbolizer *symbolizer;
	struct arena *arena; /* scratch; also owns `found` */
	enum trigger trigger;
	const struct finding **found; /* those to report, suppressed ones left out */
	uint32_t found_count;
	uint32_t suppressed;
	bool has_exit_code;
	int exit_code;
	int signal;                  /* that killed it; 0: none */
	bool all_threads;            /* dump: every thread, not only those in findings */
	const struct rec_scan *scan; /* the search that the findings are from, to be told of; NULL: none */
	const struct rec_why
	    *why; /* the answer to why something is alive, in place of findings; NULL: none */
	bool color;
	int verbosity; /* -1 quiet, 0, 1 verbose */
};

/* Why the program itself asked for this report (wh_report); NULL: it did not, or gave no reason. */
static inline const char *report_reason(const struct report *report)
{
	const struct rec_header *header = report->view->header;
	uint32_t requests = atomic_load_explicit(&header->requests, memory_order_relaxed);
	if (report->trigger != TRIGGER_REQUEST ||
	    requests == atomic_load_explicit(&header->requests_told, memory_order_relaxed))
		return NULL;
	const char *why =
	    view_text(report->view, atomic_load_explicit(&header->request_why, memory_order_relaxed));
	return *why ? why : NULL;
}

#endif
