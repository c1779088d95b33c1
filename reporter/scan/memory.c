#include "reporter/scan/memory.h"

#include <string.h>
#include <sys/mman.h>

#include "platform/sys.h"

#define FIRST_BYTES ((uint64_t)64 * 1024)
#define HUGE_PAGE ((uint64_t)2 << 20)

/* Whole pages; at least one, so that an array of none is an address too. */
static uint64_t bytes_of(uint64_t count, size_t size)
{
	uint64_t bytes;
	if (__builtin_mul_overflow(count, (uint64_t)size, &bytes) || bytes > (uint64_t)1 << 46)
		return 0;
	return bytes ? (bytes + 4095) & ~UINT64_C(4095) : 4096;
}

void *memory_array(uint64_t count, size_t size)
{
	uint64_t bytes = bytes_of(count, size);
	return bytes ? sys_pages_lazy(bytes) : NULL;
}

void memory_free(void *at, uint64_t room, size_t size)
{
	if (at)
		sys_pages_free(at, bytes_of(room, size));
}

void *memory_grow(void *at, uint64_t count, uint64_t *room, size_t size)
{
	if (at && count < *room)
		return at;
	uint64_t larger = at ? *room * 2 : FIRST_BYTES / size + 1;
	void *made = memory_array(larger, size);
	if (!made)
		return NULL;
	/* Read in no order at all later, so that small pages cost a miss each. It is good advice only, and costs something. */
	if (bytes_of(larger, size) >= HUGE_PAGE)
		sys_call3(SYS_madvise, made, bytes_of(larger, size), MADV_HUGEPAGE);
	if (at) {
		memcpy(made, at, count * size);
		memory_free(at, *room, size);
	}
	*room = larger;
	return made;
}
