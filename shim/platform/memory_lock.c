#include "platform/memory_lock.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/context.h"
#include "base/digits.h"
#include "platform/sys.h"

/* Some ten thousand mappings; a program has a few hundred. */
#define MAPS_BYTES ((size_t)1 << 20)

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1u
#endif

struct range {
	uint64_t start, end;
};

/* The first range of ours that ends behind `at`. */
struct nearest {
	uint64_t at;
	struct range found;
};

static bool look_nearer(uint64_t start, uint64_t end, void *data)
{
	struct nearest *nearest = data;
	if (end > nearest->at && start < nearest->found.start)
		nearest->found = (struct range){ start, end };
	return true;
}

static struct range next_of_ours(const struct range *but, uint64_t at)
{
	struct nearest nearest = { at, { UINT64_MAX, UINT64_MAX } };
	look_nearer(but->start, but->end, &nearest);
	sys_pages_each(look_nearer, &nearest);
	return nearest.found;
}

/* Calls for each part of the mapping that is not ours; a result other than 0 ends it. */
static int each_part(const struct range *map, const struct range *but,
		     int (*call)(const struct range *part, long flags), long flags)
{
	for (uint64_t at = map->start; at < map->end;) {
		struct range ours = next_of_ours(but, at);
		struct range part = { at, MIN_OF(map->end, MAX_OF(ours.start, at)) };
		int error = part.start < part.end ? call(&part, flags) : 0;
		if (error || ours.start >= map->end)
			return error;
		at = ours.end;
	}
	return 0;
}

/* The next line of /proc/self/maps. Return: false: there is none. */
static bool next_map(const char **at, struct range *ret_map)
{
	*at = digits_hex(*at, &ret_map->start);
	if (**at != '-')
		return false;
	(*at)++;
	*at = digits_hex(*at, &ret_map->end);
	while (**at && **at != '\n')
		(*at)++;
	if (**at)
		(*at)++;
	return true;
}

static int each_map(const char *maps, const struct range *but,
		    int (*call)(const struct range *part, long flags), long flags)
{
	struct range map;
	int error = 0;
	while (!error && next_map(&maps, &map))
		/* The kernel's own page there is in no process's half of the addresses. */
		if (map.start < UINT64_C(1) << 63)
			error = each_part(&map, but, call, flags);
	return error;
}

static int lock_part(const struct range *part, long flags)
{
	return (int)sys_call3(SYS_mlock2, part->start, part->end - part->start, flags);
}

/* What there is no memory for, and what nobody may touch, is not brought in, as by mlockall. */
static int bring_part(const struct range *part, long flags)
{
	lock_part(part, flags);
	return 0;
}

static int unlock_part(const struct range *part, long flags)
{
	(void)flags;
	sys_call2(SYS_munlock, part->start, part->end - part->start);
	return 0;
}

int memory_lock_all(uint64_t but_start, uint64_t but_end, bool on_fault)
{
	const struct range but = { but_start, but_end };
	char *maps = sys_pages(MAPS_BYTES);
	if (!maps)
		return -ENOTSUP;
	long got = sys_read_file("/proc/self/maps", maps, MAPS_BYTES);
	int error = got > 0 && (size_t)got + 1 < MAPS_BYTES ? 0 : -ENOTSUP;
	/* First without bringing anything in: then all that can be refused is the lock itself. */
	if (!error && (error = each_map(maps, &but, lock_part, MLOCK_ONFAULT)) != 0)
		each_map(maps, &but, unlock_part, 0);
	if (!error && !on_fault)
		each_map(maps, &but, bring_part, 0);
	sys_pages_free(maps, MAPS_BYTES);
	return error;
}
