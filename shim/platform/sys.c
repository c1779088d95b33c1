#include "platform/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "base/context.h"
#include "platform/vdso.h"

bool sys_sandboxed;

int sys_open(const char *path, int flags, int mode)
{
	if (UNLIKELY(sys_sandboxed))
		return -EPERM;
	return (int)sys_call4(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

int sys_close(int fd)
{
	return (int)sys_call1(SYS_close, fd);
}

long sys_read(int fd, void *buffer, size_t bytes)
{
	long got;
	do
		got = sys_call3(SYS_read, fd, buffer, bytes);
	while (got == -EINTR);
	return got;
}

int sys_write_all(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;
	while (count) {
		long put = sys_call3(SYS_write, fd, at, count);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put ? (int)put : -EIO;
		at += put;
		count -= (size_t)put;
	}
	return 0;
}

int sys_unlink(const char *path)
{
	return (int)sys_call3(SYS_unlinkat, AT_FDCWD, path, 0);
}

long sys_readlink(const char *path, char *buffer, size_t bytes)
{
	if (UNLIKELY(sys_sandboxed))
		return -EPERM;
	return sys_call4(SYS_readlinkat, AT_FDCWD, path, buffer, bytes);
}

/*
 * The tracker's own pages, for sys_pages_each. `start` is 0 in a free entry and 1 while one is being
 * filled in. What finds no room is not remembered: the leak scan then takes it for the program's, and
 * what it points at for reachable.
 */
#define OWN_PAGES 8192u
static struct own_pages {
	uint64_t start, end;
} own_pages[OWN_PAGES];
static uint32_t own_pages_high; /* entries from here on were never used */

static void own_pages_add(uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < OWN_PAGES; i++) {
		struct own_pages *entry = &own_pages[i];
		uint64_t empty = 0;
		if (__atomic_load_n(&entry->start, __ATOMIC_RELAXED) ||
		    !__atomic_compare_exchange_n(&entry->start, &empty, 1, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		entry->end = end;
		__atomic_store_n(&entry->start, start, __ATOMIC_RELEASE);
		uint32_t high = __atomic_load_n(&own_pages_high, __ATOMIC_RELAXED);
		while (high < i + 1 && !__atomic_compare_exchange_n(&own_pages_high, &high, i + 1, true,
								    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			;
		return;
	}
}

static void own_pages_drop(uint64_t start)
{
	uint32_t high = __atomic_load_n(&own_pages_high, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < high; i++)
		if (__atomic_load_n(&own_pages[i].start, __ATOMIC_ACQUIRE) == start) {
			__atomic_store_n(&own_pages[i].start, 0, __ATOMIC_RELEASE);
			return;
		}
}

void sys_pages_each(bool (*each)(uint64_t start, uint64_t end, void *data), void *data)
{
	uint32_t high = __atomic_load_n(&own_pages_high, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < high; i++) {
		uint64_t start = __atomic_load_n(&own_pages[i].start, __ATOMIC_ACQUIRE);
		if (start > 1 && !each(start, own_pages[i].end, data))
			return;
	}
}

/* The process has said that all of its memory to come be locked: what is mapped is brought in at once. */
static bool pages_are_locked;

void sys_pages_are_locked(void)
{
	__atomic_store_n(&pages_are_locked, true, __ATOMIC_RELAXED);
}

/* Of pages that nobody may touch none is brought in; touchable they become when they are not locked any more. */
static long map_unlocked(size_t bytes, int flags)
{
	long at = sys_call6(SYS_mmap, 0, (long)bytes, PROT_NONE, flags, -1, 0);
	if (at < 0 && at > -4096)
		return at;
	sys_call2(SYS_munlock, at, bytes);
	long error = sys_call3(SYS_mprotect, at, bytes, PROT_READ | PROT_WRITE);
	if (error == 0)
		return at;
	sys_call2(SYS_munmap, at, bytes);
	return error;
}

static void *map_pages(size_t bytes, int flags)
{
	if (UNLIKELY(sys_sandboxed))
		return NULL;
	flags |= MAP_PRIVATE | MAP_ANONYMOUS;
	long at = LIKELY(!__atomic_load_n(&pages_are_locked, __ATOMIC_RELAXED))
		      ? sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
		      : map_unlocked(bytes, flags);
	if (at < 0 && at > -4096)
		return NULL;
	own_pages_add((uint64_t)at, (uint64_t)at + ((bytes + 4095) & ~(size_t)4095));
	return (void *)at;
}

void *sys_pages(size_t bytes)
{
	return map_pages(bytes, 0);
}

void *sys_pages_lazy(size_t bytes)
{
	return map_pages(bytes, MAP_NORESERVE);
}

void sys_pages_disown(void *pages)
{
	own_pages_drop((uint64_t)pages);
}

void sys_pages_free(void *pages, size_t bytes)
{
	/* First: afterwards the address may be another mapping's. */
	sys_pages_disown(pages);
	sys_call2(SYS_munmap, pages, bytes);
}

unsigned sys_address_thrift(void)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
	if (sys_call4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return 1;
	unsigned thrift = 1;
	/* Some 5 GiB in all at thrift 1: never more than a tenth or so of the limit. */
	while (thrift < 1024 && thrift * limit.rlim_cur < (uint64_t)50 << 30)
		thrift *= 2;
	return thrift;
}

uint64_t sys_memory_total(void)
{
	struct sysinfo info = { .totalram = 0 };
	if (sys_call1(SYS_sysinfo, &info) < 0)
		return 0;
	return (uint64_t)info.totalram * info.mem_unit;
}

int32_t sys_pid(void)
{
	return (int32_t)sys_call0(SYS_getpid);
}

int32_t sys_tid(void)
{
	return sys_sandboxed ? 0 : (int32_t)sys_call0(SYS_gettid);
}

int sys_kill_thread(int32_t pid, int32_t tid, int signal)
{
	return (int)sys_call3(SYS_tgkill, pid, tid, signal);
}

bool sys_no_tsc;

static nsec_t clock_now(clockid_t clock)
{
	struct timespec now = { 0 };
	if (UNLIKELY(sys_no_tsc)) {
		if (sys_sandboxed || sys_call2(SYS_clock_gettime, clock, &now) != 0)
			return 0;
	} else if (!vdso_time(clock, &now)) {
		return 0;
	}
	return (nsec_t)now.tv_sec * NSEC_PER_SEC + (nsec_t)now.tv_nsec;
}

nsec_t sys_monotonic(void)
{
	return clock_now(CLOCK_MONOTONIC);
}

nsec_t sys_monotonic_coarse(void)
{
	return clock_now(CLOCK_MONOTONIC_COARSE);
}

nsec_t sys_realtime(void)
{
	return clock_now(CLOCK_REALTIME);
}

void sys_sleep(nsec_t ns)
{
	if (sys_sandboxed)
		return;
	struct timespec left = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				 .tv_nsec = (long)(ns % NSEC_PER_SEC) };
	while (sys_call2(SYS_nanosleep, &left, &left) == -EINTR)
		;
}

int sys_futex_wait(const uint32_t *word, uint32_t value, nsec_t timeout)
{
	struct timespec limit = { .tv_sec = (time_t)(timeout / NSEC_PER_SEC),
				  .tv_nsec = (long)(timeout % NSEC_PER_SEC) };
	return (int)sys_call4(SYS_futex, word, FUTEX_WAIT, value, timeout ? &limit : NULL);
}

void sys_futex_wake(const uint32_t *word, int count)
{
	if (!sys_sandboxed)
		sys_call3(SYS_futex, word, FUTEX_WAKE, count);
}

long sys_read_file(const char *path, char *buffer, size_t bytes)
{
	int fd = sys_open(path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	size_t used = 0;
	long got = 0;
	while (used + 1 < bytes && (got = sys_read(fd, buffer + used, bytes - 1 - used)) > 0)
		used += (size_t)got;
	sys_close(fd);
	if (got < 0)
		return got;
	buffer[used] = '\0';
	return (long)used;
}
