/*
 * The file behind a recording: its directory, its name, its mapping. Careful with
 * what others may have put in the way: directories of ours are 0700 and owned by
 * us, files are made O_EXCL and O_NOFOLLOW with mode 0600, and no link of
 * another user is followed.
 *
 * Context: init, or hook in a fork child.
 */
#ifndef WH_REGISTRY_RECORDING_FILE_H
#define WH_REGISTRY_RECORDING_FILE_H

#include "base/text.h"
#include "base/types.h"

struct recording_file {
	void *at; /* the mapping */
	size_t bytes;
	uint64_t started_ticks;   /* of this process: field 22 of /proc/self/stat */
	bool is_private;          /* a memory file without a name, or plain memory */
	char path[600];           /* "" where private */
	uint32_t directory_bytes; /* of `path`, with the slash */
};

/*
 * Maps `bytes` of a new recording. Tries `directory` or, where that is "", the default directories, then
 * a private one; what kept it from a file is put into `ret_reason` ("" otherwise). Nobody finds the file before
 * recording_file_publish: a process that is killed in between leaves no recording that is none.
 * Return: 0 or -errno.
 */
int recording_file_make(struct recording_file *file, const char *directory, size_t bytes,
			struct text *ret_reason);

/* Gives a file that is a whole recording by now its name, after the program. */
void recording_file_publish(struct recording_file *file, const char *program);

/*
 * Reserves [from, to) of the mapping: afterwards writing there cannot fail. Return: 0, -ENOSPC.
 * Context: hook.
 */
int recording_file_reserve(struct recording_file *file, size_t from, size_t to);

/* The path that a recording of this process has while it may be replaced by exec. */
void recording_file_hidden(const struct recording_file *file, struct text *path);

#endif
