/*
 * Help, made from the tables: verbs.def, flags.def, options.def, findings.def, kinds_help.def, writers.def.
 *
 * Context: offline.
 */
#ifndef WH_CLI_HELP_H
#define WH_CLI_HELP_H

#include <stdio.h>

#include "reporter/cli/args.h"

/* The verbs, and where to read on. */
void help_overview(FILE *to);

/* A verb with its flags, on standard output. */
void help_verb(enum verb_id verb);

void help_options(void);
void help_kinds(void);

/* One kind of finding at length. Return: 0, or -ENOENT: no such kind. */
int help_kind(const char *name);

#endif
