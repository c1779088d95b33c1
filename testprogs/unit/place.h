/*
 * A directory of a test's own: in memory, which is a hundred times faster on a busy disk, where there is
 * room. Containers have 64 MiB there, or less.
 */
#ifndef TEST_PLACE_H
#define TEST_PLACE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char place[64];

/* Makes it. Return: its path; NULL: neither in memory nor on disk. */
static inline const char *place_make(const char *name)
{
	struct statvfs room;
	bool roomy = statvfs("/dev/shm", &room) == 0 && (room.f_bavail * room.f_frsize) >> 20 >= 32;
	snprintf(place, sizeof place, "%s/%s.XXXXXX",
		 roomy && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);
	return mkdtemp(place);
}

/* Removes it, once it is empty. */
static inline void place_remove(void)
{
	rmdir(place);
}

#endif
