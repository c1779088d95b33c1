/*
 * From what a person names, a pid or a file, to an open recording.
 *
 * Context: offline.
 */
#ifndef WH_CLI_RESOLVE_H
#define WH_CLI_RESOLVE_H

#include "reporter/recording/reader.h"

/* The number, where the whole of `name` is one that a process may have; else 0. */
pid_t resolve_pid(const char *name);

/*
 * The recording of the file `name`, or of the process with that number: of a live one what it is writing, of one that
 * has ended what it left in the directories for recordings. Return: as reader_open and reader_open_pid, with the
 * message in `ret_reader->error`.
 */
int resolve_recording(const char *name, struct reader *ret_reader);

#endif
