#include "reporter/scan/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/context.h"
#include "base/digits.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"

static bool begins(const char *text, const char *end, const char *with)
{
	size_t length = strlen(with);
	return (size_t)(end - text) >= length && memcmp(text, with, length) == 0;
}

static uint32_t flags_of_name(const char *name, const char *end)
{
	if (name == end || begins(name, end, "[anon"))
		return 0;
	if (begins(name, end, "[heap]"))
		return MAP_BREAK;
	if (begins(name, end, "[stack"))
		return MAP_MAIN_STACK;
	if (*name == '[')
		return MAP_OF_KERNEL;
	if (begins(name, end, "/dev/") && !begins(name, end, "/dev/shm/") && !begins(name, end, "/dev/zero"))
		return MAP_OF_KERNEL;
	return MAP_OF_FILE;
}

/* "55d0c8e6d000-55d0c8e6f000 r--p 00000000 fe:00 1234    /usr/bin/cat" */
bool maps_parse_line(const char *line, const char *end, struct map *ret_map)
{
	uint64_t start, stop;
	const char *at = digits_hex(line, &start);
	if (at == line || at == end || *at++ != '-')
		return false;
	at = digits_hex(at, &stop);
	if (end - at < 6 || *at++ != ' ' || stop <= start)
		return false;
	uint32_t flags = (at[0] == 'r' ? MAP_READ : 0) | (at[1] == 'w' ? MAP_WRITE : 0) |
			 (at[2] == 'x' ? MAP_EXECUTE : 0) | (at[3] == 's' ? MAP_IS_SHARED : 0);
	/* Permissions, offset, device, inode; then blanks and the name. */
	for (int field = 0; field < 4; field++) {
		while (at < end && *at != ' ')
			at++;
		while (at < end && *at == ' ')
			at++;
	}
	*ret_map = (struct map){ start, stop, flags | flags_of_name(at, end) };
	return true;
}

#define BUFFER_BYTES ((size_t)64 * 1024)

static int maps_add(struct maps *maps, const char *line, const char *end)
{
	struct map map;
	if (!maps_parse_line(line, end, &map))
		return -EINVAL;
	struct map *at = memory_grow(maps->at, maps->count, &maps->room, sizeof *at);
	if (!at)
		return -ENOMEM;
	maps->at = at;
	at[maps->count++] = map;
	return 0;
}

/* The kernel's own limit on mappings, unless it was raised. */
#define MAPS_USUAL ((uint64_t)65536)

int maps_read(struct maps *maps)
{
	*maps = (struct maps){ 0 };
	/*
	 * Nothing may be unmapped between the reading and the use of the list, or the list would lead
	 * to where there is nothing: the buffer is static, and the array rarely grows.
	 */
	static char buffer[BUFFER_BYTES];
	maps->room = MAPS_USUAL;
	maps->at = memory_array(maps->room, sizeof *maps->at);
	if (!maps->at) {
		maps->room = 0;
		return -ENOMEM;
	}
	int fd = sys_open("/proc/thread-self/maps", O_RDONLY, 0);
	if (fd < 0) {
		maps_release(maps);
		return fd;
	}
	int error = 0;
	size_t held = 0;
	while (!error) {
		long got = sys_read(fd, buffer + held, BUFFER_BYTES - held);
		if (got <= 0) {
			error = (int)got;
			break;
		}
		held += (size_t)got;
		char *line = buffer, *newline;
		while (!error && (newline = memchr(line, '\n', held - (size_t)(line - buffer)))) {
			error = maps_add(maps, line, newline);
			line = newline + 1;
		}
		held -= (size_t)(line - buffer);
		memmove(buffer, line, held);
		if (held == BUFFER_BYTES)
			error = -EINVAL;
	}
	sys_close(fd);
	if (!error && !maps->count)
		error = -ENOENT;
	if (error)
		maps_release(maps);
	return error;
}

void maps_release(struct maps *maps)
{
	memory_free(maps->at, maps->room, sizeof *maps->at);
	*maps = (struct maps){ 0 };
}

const struct map *maps_find(const struct maps *maps, uint64_t address)
{
	uint64_t low = 0, high = maps->count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (maps->at[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < maps->count && maps->at[low].start <= address ? &maps->at[low] : NULL;
}
