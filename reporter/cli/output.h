/*
 * Where reports go: a descriptor, or files whose names may hold %p (the pid), %n
 * (the program's name) and %% (a percent sign).
 *
 * A report is gathered whole and appended in one write, so that two of them, or a
 * report and what the program itself says, never mix line by line. A file is
 * emptied the first time a command that a person gave writes to it. One that a library started goes on where
 * its process has come to: another such command, or the library of another process, wrote before it.
 *
 * Context: offline.
 */
#ifndef WH_CLI_OUTPUT_H
#define WH_CLI_OUTPUT_H

#include "reporter/write/report.h"

struct output {
	struct sink sink; /* for writers; gathers */
	char *bytes;      /* gathered; owned */
	size_t used, room;
	const char *pattern; /* NULL: `fd` */
	int fd;              /* of a pattern without %p and %n, kept open; or what the caller gave */
	bool per_process;    /* the pattern has %p or %n */
	bool goes_on;        /* nothing is emptied */
	char **begun;        /* files emptied so far; owned */
	size_t begun_count;
	bool failed; /* complained about; nothing more is written */
};

/*
 * `pattern` NULL writes to `fd`; "-" means standard output. A single file is made at once, so that a bad name is told
 * before anything else happens. Return: 0, or EXIT_FAILED after a message.
 */
int output_init(struct output *output, const char *pattern, int fd, bool goes_on);

/* Whether a person may be looking at it. */
bool output_is_terminal(const struct output *output);

/*
 * Appends what writers have put into the sink to the output of the process that `view` is of. Complains once
 * where that fails. Return: 0 or EXIT_FAILED.
 */
int output_flush(struct output *output, const struct view *view);

void output_release(struct output *output);

#endif
