/*
 * The mappings of this process: /proc/self/maps, read once, without libc.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_MAPS_H
#define WH_REPORTER_SCAN_MAPS_H

#include "base/types.h"

enum map_flag {
	MAP_READ = 1,
	MAP_WRITE = 2,
	MAP_IS_SHARED = 4,
	MAP_OF_FILE = 8, /* a file's; else anonymous */
	MAP_BREAK = 16,  /* what brk() moves the end of: [heap] */
	MAP_MAIN_STACK = 32,
	MAP_EXECUTE = 128,
	MAP_OF_KERNEL = 64, /* [vdso] and its like, and devices: holds nothing of the program's */
};

struct map {
	uint64_t start, end;
	uint32_t flags; /* enum map_flag */
};

struct maps {
	struct map *at; /* ascending */
	uint64_t count, room;
};

/* Return: 0, or -errno: /proc is not there, or there is no memory. */
int maps_read(struct maps *maps);
void maps_release(struct maps *maps);

/* One line of /proc/PID/maps, `end` behind its last byte. Return: false: not such a line. */
bool maps_parse_line(const char *line, const char *end, struct map *ret_map);

/* The mapping that holds `address`; NULL: none. */
const struct map *maps_find(const struct maps *maps, uint64_t address);

#endif
