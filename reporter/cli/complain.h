/*
 * Messages of the command to the person who gave it: on standard error, lower case,
 * no full stop, what is wrong and what to do next.
 *
 * Context: offline.
 */
#ifndef WH_CLI_COMPLAIN_H
#define WH_CLI_COMPLAIN_H

#include "base/context.h"

/* The exit codes of the command itself; `run` passes on the program's own else. */
enum exit_code {
	EXIT_GOOD = 0,
	EXIT_USAGE = 2,        /* wrong usage */
	EXIT_FAILED = 125,     /* whoholds itself failed */
	EXIT_UNLOADABLE = 126, /* PROGRAM can't be executed or preloaded into */
	EXIT_NOT_FOUND = 127,
};

/* "whoholds: MESSAGE" and a newline, in one write. */
void complain(const char *format, ...) PRINTF(1, 2);

/* The same, for use in `return usage_error(...)`. Return: EXIT_USAGE. */
int usage_error(const char *format, ...) PRINTF(1, 2);

#endif
