#include "platform/memory_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* What is done with all that is not ours. */
struct pass {
	struct range but; /* is ours, beside what sys_pages_each knows */
	long flags;       /* of mlock2 */
	uint64_t bytes;   /* found so far */
	bool gone;        /* something was unmapped meanwhile */
};

typedef int part_function(const struct range *part, struct pass *pass);

/* Calls for each part of the mapping that is not ours; a result other than 0 ends it. */
static int each_part(const struct range *map, part_function *call, struct pass *pass)
{
	for (uint64_t at = map->start; at < map->end;) {
		struct range ours = next_of_ours(&pass->but, at);
		struct range part = { at, MIN_OF(map->end, MAX_OF(ours.start, at)) };
		int error = part.start < part.end ? call(&part, pass) : 0;
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

static int each_map(const char *maps, part_function *call, struct pass *pass)
{
	struct range map;
	int error = 0;
	while (!error && next_map(&maps, &map))
		/* The kernel's own page there is in no process's half of the addresses. */
		if (map.start < UINT64_C(1) << 63)
			error = each_part(&map, call, pass);
	return error;
}

static int count_part(const struct range *part, struct pass *pass)
{
	pass->bytes += part->end - part->start;
	return 0;
}

static int mlock_part(const struct range *part, const struct pass *pass)
{
	return (int)sys_call3(SYS_mlock2, part->start, part->end - part->start, pass->flags);
}

/*
 * Other threads go on, that which looks after this process among them, and unmap what was there a moment ago. That is all that can
 * be refused, once so much is allowed.
 */
static int lock_part(const struct range *part, struct pass *pass)
{
	int error = mlock_part(part, pass);
	if (error != -ENOMEM && error != -EAGAIN)
		return error;
	pass->gone = true;
	return 0;
}

/* What there is no memory for, and what nobody may touch, is not brought in, as by mlockall. */
static int bring_part(const struct range *part, struct pass *pass)
{
	mlock_part(part, pass);
	return 0;
}

static int unlock_part(const struct range *part, struct pass *pass)
{
	(void)pass;
	sys_call2(SYS_munlock, part->start, part->end - part->start);
	return 0;
}

/* Of the first user namespace: no other one's privileges lift the limit. */
#define FIRST_USER_NAMESPACE UINT64_C(0xeffffffd)

static bool is_unlimited(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	struct stat namespace = { .st_ino = 0 };
	return sys_call4(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/user", &namespace, 0) == 0 &&
	       namespace.st_ino == FIRST_USER_NAMESPACE && sys_call2(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK);
}

/* Whether the kernel would lock so much. Then mlockall does nothing, and what was locked before stays so. */
static bool is_allowed(uint64_t bytes)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
	sys_call4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, &limit);
	return bytes <= limit.rlim_cur || is_unlimited();
}

#define TRIES \
	4u /* while parts of what there is go away; what is there after that is locked but for what they were a part of */

/* First without bringing anything in: then all that can be refused is the lock itself. */
static int lock_maps(char *maps, struct pass *pass)
{
	for (unsigned try = 0; try < TRIES; try++) {
		long got = sys_read_file("/proc/self/maps", maps, MAPS_BYTES);
		if (got <= 0 || (size_t)got + 1 >= MAPS_BYTES)
			return -ENOTSUP;
		pass->bytes = 0;
		each_map(maps, count_part, pass);
		if (!is_allowed(pass->bytes))
			return -ENOTSUP; /* the real one refuses, too: there is more for it to lock */
		pass->gone = false;
		pass->flags = MLOCK_ONFAULT;
		int error = each_map(maps, lock_part, pass);
		if (error)
			each_map(maps, unlock_part, pass);
		if (error || !pass->gone)
			return error;
	}
	return 0;
}

int memory_lock_all(uint64_t but_start, uint64_t but_end, bool on_fault)
{
	struct pass pass = { .but = { but_start, but_end } };
	char *maps = sys_pages(MAPS_BYTES);
	if (!maps)
		return -ENOTSUP;
	int error = lock_maps(maps, &pass);
	pass.flags = 0;
	if (!error && !on_fault)
		each_map(maps, bring_part, &pass);
	sys_pages_free(maps, MAPS_BYTES);
	return error;
}
