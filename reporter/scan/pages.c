#include "reporter/scan/pages.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "base/context.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"

#define ENTRIES ((uint64_t)4096)

#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)
#define ENTRY_OF_FILE ((uint64_t)1 << 61) /* or shared memory */

void pages_open(struct pages *pages)
{
	*pages = (struct pages){ .fd = -1 };
	pages->entries = memory_array(ENTRIES, sizeof *pages->entries);
	if (pages->entries)
		pages->fd = sys_open("/proc/thread-self/pagemap", O_RDONLY, 0);
}

void pages_close(struct pages *pages)
{
	if (pages->fd >= 0)
		sys_close(pages->fd);
	memory_free(pages->entries, ENTRIES, sizeof *pages->entries);
	*pages = (struct pages){ .fd = -1 };
}

/* PAGEMAP_SCAN, newer than some headers. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_argument {
	uint64_t size, flags, start, end, walked_to;
	uint64_t regions, region_count, most_pages;
	uint64_t inverted, all_of, any_of, told;
};

#define PAGEMAP_SCAN _IOWR('f', 16, struct scan_argument)
#define SCAN_PRESENT UINT64_C(8)
#define SCAN_SWAPPED UINT64_C(16)

/*
 * The first page from `page` on, below `last`, that is in memory or swapped out, as far as the kernel says so by itself;
 * `last`: none. Programs reserve tebibytes that they touch a few pages of: 2 GiB of entries each.
 */
static uint64_t skip_absent(struct pages *pages, uint64_t page, uint64_t last)
{
	struct scan_region region = { 0 };
	struct scan_argument argument = {
		.size = sizeof argument,
		.start = page * PAGE_BYTES,
		.end = last * PAGE_BYTES,
		.regions = (uintptr_t)&region,
		.region_count = 1,
		.any_of = SCAN_PRESENT | SCAN_SWAPPED,
		.told = SCAN_PRESENT | SCAN_SWAPPED,
	};
	if (pages->one_by_one || last - page <= ENTRIES)
		return page;
	long found = sys_call3(SYS_ioctl, pages->fd, PAGEMAP_SCAN, &argument);
	if (found < 0) {
		pages->one_by_one = true;
		return page;
	}
	return found ? MAX_OF(page, region.start / PAGE_BYTES) : last;
}

/* Reads the entries from `page` on, as far as `end`. Return: false: can't be known. */
static bool entries_load(struct pages *pages, uint64_t page, uint64_t end)
{
	if (page >= pages->first && page < pages->first + pages->count)
		return true;
	uint64_t want = MIN_OF(end - page, ENTRIES);
	long got = sys_call4(SYS_pread64, pages->fd, pages->entries, want * 8, page * 8);
	if (got < 8)
		return false;
	pages->first = page;
	pages->count = (uint64_t)got / 8;
	return true;
}

static bool entry_matches(uint64_t entry, enum pages_want want)
{
	if (!(entry & (ENTRY_PRESENT | ENTRY_SWAPPED)))
		return false;
	return want == PAGES_ANY || !(entry & ENTRY_OF_FILE);
}

bool pages_next_run(struct pages *pages, uint64_t start, uint64_t end, enum pages_want want,
		    struct range *ret_run)
{
	if (start >= end)
		return false;
	*ret_run = (struct range){ start, end };
	if (pages->fd < 0)
		return true;

	uint64_t page = start / PAGE_BYTES;
	uint64_t last = (end + PAGE_BYTES - 1) / PAGE_BYTES;
	for (;; page++) {
		if (page < pages->first || page >= pages->first + pages->count)
			page = skip_absent(pages, page, last);
		if (page >= last)
			return false;
		if (!entries_load(pages, page, last))
			return true;
		if (entry_matches(pages->entries[page - pages->first], want))
			break;
	}
	uint64_t from = page;
	while (page < last && page < pages->first + pages->count &&
	       entry_matches(pages->entries[page - pages->first], want))
		page++;
	ret_run->start = MAX_OF(start, from * PAGE_BYTES);
	ret_run->end = MIN_OF(end, page * PAGE_BYTES);
	return true;
}
