/*
 * The parts of the text report, for text*.c alone.
 *
 *   text.c           head, headlines, notes, summary
 *   text_finding.c   what stands below a headline
 *   text_deadlock.c  the same for deadlocks: by thread, then how it came about
 *   text_growth.c   a site that grows: its chart
 *   text_waiters.c   who waits for what a finding is about
 *   text_threads.c   every thread, for a dump
 *   text_locks.c     locks by how they were used
 *   text_open.c      what is open, by place
 *   text_mappings.c  what is mapped, by place
 *   text_stack.c     a stack
 *   text_why.c       the answer to why something is alive
 *   top.c            a screen of `whoholds top`, which is no report
 */
#ifndef WH_WRITE_TEXT_REPORT_H
#define WH_WRITE_TEXT_REPORT_H

#include "reporter/write/accounts.h"
#include "reporter/write/objects.h"
#include "reporter/write/out.h"

struct text_report {
	const struct report *report;
	struct out out;
	struct names names;
	struct accounts accounts;
	bool verbose;
};

#define TEXT_INDENT 4u      /* of what stands below a headline */
#define TEXT_AGE_COLUMN 64u /* where ages stand, if what is before them is not longer */

/* Frames, one a line, `indent` columns in; a line that says so where there are none. */
void text_stack(struct text_report *text, stack_id stack, size_t indent);

/* The same of what was taken at `since`: what a fork child has had from its beginning has no stack that it knows. */
void text_hold_stack(struct text_report *text, stack_id stack, nsec_t since, size_t indent);

/* `map_put map.c:120`: the program's own innermost frame in short; "" where there is none. */
const char *text_place(struct text_report *text, stack_id stack);

/* One line: `label`, and "for 7.3 s" in its column where `age` is not 0. */
void text_line(struct text_report *text, size_t indent, const char *label, nsec_t age);

/* `holds rwlock sessions.lock (shared)` and the like, without whose it is. */
const char *text_hold_label(struct text_report *text, const char *verb, struct object *object, unsigned mode,
			    uint32_t count);
/* `waits for mutex b in pthread_mutex_lock, held by thread 3 "second"`. `holder` may be NULL. */
const char *text_wait_label(struct text_report *text, const char *verb, struct object *object, unsigned op,
			    const char *holder);

/* An item: a line that says what happened, and the stack. Nothing of whose it is where `of` is its thread. */
void text_item(struct text_report *text, const struct account *account, const struct finding_item *item,
	       thread_id of, size_t indent);

/* Who has last signalled what somebody waits on, and from where; nothing where that is not known. */
void text_signalled(struct text_report *text, const struct object *object, size_t indent);

/* Who waits for what the finding is about; and whether an item is one of theirs, which text_waiters tells. */
void text_waiters(struct text_report *text, const struct account *account);
bool text_is_waiter(const struct finding *finding, const struct finding_item *item);

void text_finding(struct text_report *text, const struct account *account);
void text_deadlock(struct text_report *text, const struct account *account);
void text_order(struct text_report *text, const struct account *account);
void text_growth(struct text_report *text, const struct account *account);
void text_threads(struct text_report *text);
/* Locks by how long threads waited for them; nothing where none did, save with -v. */
void text_locks(struct text_report *text);
/* A report of its own. Return: 0, -ENOMEM, or the error of the sink. */
int text_why(const struct report *report, struct sink *sink);

/* What is open, and was, by the place that opens it; nothing where nothing ever was. */
void text_open(struct text_report *text);
/* Likewise what it has mapped itself. */
void text_mappings(struct text_report *text);

/* `thread 4 "a", thread 5 "b", thread 6 "c" and 9 more`: one name at a time; `count` in all. */
const char *text_list_add(struct text_report *text, const char *list, const char *name, uint32_t index,
			  uint32_t count);

#endif
