/*
 * A program that has all of its memory locked has that and no more: the gigabytes of address space that the library reserves are
 * not brought in, now or later, and what the program has is.
 *
 * RUN: %prog
 * RUN: LD_PRELOAD=%lib WHOHOLDS_OPTIONS=tick=1ms %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: locked
 */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/check.h"

#define PAGE ((size_t)4096)
#define PAGES 64u

/* A field of /proc/self/status, in KiB. */
static long status(const char *field)
{
	char line[256];
	long value = -1;
	FILE *file = fopen("/proc/self/status", "r");
	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof line, file))
		if (strncmp(line, field, strlen(field)) == 0)
			value = atol(line + strlen(field));
	fclose(file);
	return value;
}

static unsigned there(char *pages)
{
	unsigned char seen[PAGES];
	unsigned count = 0;
	CHECK_EQUAL(mincore(pages, PAGES * PAGE, seen), 0);
	for (unsigned i = 0; i < PAGES; i++)
		count += seen[i] & 1;
	return count;
}

static char *map(void)
{
	void *made = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(made != MAP_FAILED);
	return made;
}

static void *allocate(void *unused)
{
	for (size_t i = 0; i < 2000; i++)
		free(malloc(100 * i + 1));
	return unused;
}

/* What is there stays locked; what comes is not any more. */
static void future_ends(void)
{
	CHECK_EQUAL(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	char *before = map();
	CHECK_EQUAL(there(before), PAGES);
	CHECK_EQUAL(mlockall(MCL_CURRENT), 0);
	CHECK(status("VmLck:") >= (long)(PAGES * PAGE / 1024));
	char *behind = map();
	CHECK_EQUAL(there(behind), 0);
	CHECK_EQUAL(munlockall(), 0);
	CHECK_EQUAL(status("VmLck:"), 0);
	munmap(before, PAGES * PAGE);
	munmap(behind, PAGES * PAGE);
}

static void by_number(void)
{
	CHECK(syscall(SYS_mlockall, 0) == -1 && errno == EINVAL);
	CHECK_EQUAL(syscall(SYS_mlockall, MCL_CURRENT | MCL_FUTURE), 0);
	CHECK(status("VmRSS:") < 256l * 1024);
	char *behind = map();
	CHECK_EQUAL(there(behind), PAGES);
	CHECK_EQUAL(munlockall(), 0);
	munmap(behind, PAGES * PAGE);
}

static bool ending;

static void *map_and_unmap(void *unused)
{
	while (!__atomic_load_n(&ending, __ATOMIC_RELAXED)) {
		char *made = map();
		munmap(made, PAGES * PAGE);
	}
	return unused;
}

/* What another thread unmaps meanwhile is nothing that the call could fail of. */
static void while_others_unmap(void)
{
	pthread_t thread;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128l * 1024);
	CHECK_EQUAL(pthread_create(&thread, &small, map_and_unmap, NULL), 0);
	for (unsigned i = 0; i < 400; i++)
		CHECK_EQUAL(mlockall(MCL_CURRENT), 0);
	__atomic_store_n(&ending, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&small);
	CHECK_EQUAL(munlockall(), 0);
}

static void lose_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	CHECK_EQUAL(syscall(SYS_capget, &header, data), 0);
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	CHECK_EQUAL(syscall(SYS_capset, &header, data), 0);
}

/* Refused as a whole: what was locked before is still. */
static void refused(void)
{
	const struct rlimit limit = { 16 * PAGE, 16 * PAGE };
	CHECK_EQUAL(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	lose_privilege();
	char *kept = map();
	CHECK_EQUAL(mlock(kept, PAGE), 0);
	errno = 0;
	int result = mlockall(MCL_CURRENT);
	CHECK(result == -1 && errno == ENOMEM);
	CHECK_EQUAL(status("VmLck:"), (long)PAGE / 1024);
	munmap(kept, PAGES * PAGE);
}

int main(void)
{
	char *first = map(), *second;
	CHECK_EQUAL(there(first), 0);
	errno = 0;
	if (mlockall(0) != -1 || errno != EINVAL)
		CHECK(!"mlockall(0) is refused");
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
		/* The limit on locked memory: then nothing is. Not what is to be seen here. */
		CHECK(errno == ENOMEM || errno == EPERM);
		CHECK_EQUAL(status("VmLck:"), 0);
		puts("locked");
		return 0;
	}
	CHECK_EQUAL(there(first), PAGES);
	CHECK(status("VmLck:") >= (long)(PAGES * PAGE / 1024));
	second = map();
	CHECK_EQUAL(there(second), PAGES);
	pthread_t thread;
	pthread_attr_t small; /* what is locked has a limit */
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128l * 1024);
	CHECK_EQUAL(pthread_create(&thread, &small, allocate, NULL), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&small);
	allocate(NULL);
	CHECK(status("VmRSS:") < 256l * 1024);
	CHECK_EQUAL(munlockall(), 0);
	CHECK_EQUAL(status("VmLck:"), 0);
	future_ends();
	by_number();
	while_others_unmap();
	refused();
	munmap(first, PAGES * PAGE);
	munmap(second, PAGES * PAGE);
	puts("locked");
	return 0;
}
