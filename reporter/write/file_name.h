/*
 * The names of files that reports go to: %p in them is the pid, %n the program's name, %% a %.
 *
 * Context: reporter.
 */
#ifndef WH_WRITE_FILE_NAME_H
#define WH_WRITE_FILE_NAME_H

#include "base/text.h"
#include "registry/view.h"

/* Not the program's full name where that holds a slash, or the report would land in another directory. */
void file_name_expand(struct text *into, const char *pattern, const struct view *view);

/* Whether it is another one for each process. */
bool file_name_is_per_process(const char *pattern);

#endif
