/*
 * Where recordings are: the directories that the library writes them to, and
 * what lies in them.
 *
 * WHOHOLDS_DIR names the one directory where it is set. Else there are two, each 0700 and
 * the user's own: /dev/shm/whoholds-UID and /tmp/whoholds-UID. One that is a link,
 * or somebody else's, is left alone: whoever made it could show us anything.
 *
 * Context: offline.
 */
#ifndef WH_RECORDING_DISCOVER_H
#define WH_RECORDING_DISCOVER_H

#include <sys/types.h>

#include "base/types.h"

#define DISCOVER_PATH_BYTES 4096

struct discovered {
	char *path;          /* owned by the list */
	uint64_t disk_bytes; /* what it takes of the file system: recordings are sparse */
	pid_t pid;           /* as the name says; 0: it says none */
};

struct discovery {
	struct discovered *found; /* sorted by path */
	size_t count, room;
};

/*
 * The `index`-th directory to look into, in order of preference. Return: 0, -ENOENT past the last one, or
 * -EPERM where that one is not to be trusted.
 */
int discover_directory(unsigned index, char ret_path[DISCOVER_PATH_BYTES]);

/*
 * The directory that recordings of a new run go to, made where it is missing: `named`, or one of the standard ones
 * where that is NULL. Return: 0 or a negative errno (of the last one tried).
 */
int discover_make_directory(const char *named, char ret_path[DISCOVER_PATH_BYTES]);

/* All files NAME.PID.whr in the directories. Return: 0 or -ENOMEM. Missing directories have none. */
int discover(struct discovery *ret_discovery);
void discovery_release(struct discovery *discovery);

#endif
