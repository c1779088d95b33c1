#include "platform/mapping.h"

#include <string.h>

#include "base/context.h"
#include "base/digits.h"
#include "platform/sys.h"

/* Some ten thousand mappings; a program has a few hundred. */
#define MAPS_BYTES ((size_t)1 << 20)

/* A line is "START-END rwxp ...". */
bool mapping_is_private_in(const char *maps, uint64_t address)
{
	for (const char *line = maps; line && *line;) {
		uint64_t start, end;
		const char *at = digits_hex(line, &start);
		if (*at != '-')
			return false;
		at = digits_hex(at + 1, &end);
		if (address >= start && address < end)
			return strnlen(at, 5) == 5 && at[4] == 'p';
		const char *newline = strchr(at, '\n');
		line = newline ? newline + 1 : NULL;
	}
	return false;
}

bool mapping_is_private(uint64_t address)
{
	char *maps = sys_pages_lazy(MAPS_BYTES);
	if (!maps)
		return false;
	long got = sys_read_file("/proc/self/maps", maps, MAPS_BYTES);
	bool private = got > 0 && mapping_is_private_in(maps, address);
	sys_pages_free(maps, MAPS_BYTES);
	return private;
}
