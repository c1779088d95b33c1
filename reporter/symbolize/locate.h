/*
 * Finding the file that ran. A path in a recording says where it was; since then
 * it may have been replaced by a newer build, deleted, or be inside a container.
 * A file counts only if its build-id is the one that was recorded, since the
 * symbols of another build are worse than none.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_LOCATE_H
#define WH_SYMBOLIZE_LOCATE_H

#include "base/types.h"

#define LOCATE_PATH_BYTES 4352u

struct wanted {
	const char *path; /* absolute */
	const uint8_t *build_id;
	size_t build_id_bytes; /* 0: the file has none, or it is unknown */
	uint64_t start, end;   /* where it was mapped */
	int32_t pid;           /* of the process that mapped it, if that still runs; else 0 */
	bool is_program;       /* and not a library */
	uint64_t ended_real;   /* CLOCK_REALTIME ns when the process ended; 0: it runs, or nobody knows */
};

struct located {
	char path[LOCATE_PATH_BYTES]; /* what was opened */
	char note[LOCATE_PATH_BYTES]; /* why the file at the recorded path is not the one; "": it is */
};

/* Opens the file. Return: a descriptor that belongs to the caller, or -errno; `ret_located` is filled either way. */
int locate_open(const struct wanted *wanted, struct located *ret_located);

/*
 * Opens the separate debug file of a stripped one: by build-id in the folders for that, else by the name in
 * .gnu_debuglink beside the file, in .debug there, and in its folder under /usr/lib/debug. It must have the same
 * build-id or, where there is none, the checksum `crc`. `path`: the file's; `link`: NULL: it names none.
 * Return: a descriptor that belongs to the caller, and the file's path in `ret_path`; or -ENOENT.
 */
int locate_debug(const struct wanted *wanted, const char *path, const char *link, uint32_t crc,
		 char ret_path[LOCATE_PATH_BYTES]);

/* Whether process `pid` runs and is the one that was started at `boot_ticks` (field 22 of its stat file). */
bool locate_alive(int32_t pid, uint64_t boot_ticks);

#endif
