#include "platform/unforked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/context.h"
#include "base/intervals.h"
#include "platform/lock.h"
#include "platform/sys.h"

/* Those that touch one another are one. */
#define RANGES_MOST 4096u
/* It is copied while the program stands still. */
#define BYTES_MOST ((uint64_t)64 << 20)
#define PAGE ((uint64_t)4096)

static struct lock noting;
static struct interval noted[RANGES_MOST + 1];
static struct intervals ranges = { .at = noted, .room = RANGES_MOST + 1 };
static bool incomplete; /* some found no room */

/* With the lock held. */
static void add(uint64_t start, uint64_t end)
{
	uint32_t other;
	while ((other = intervals_first(&ranges, start - 1, end + 1))) {
		if (noted[other].start <= start && noted[other].end >= end)
			return;
		start = MIN_OF(start, noted[other].start);
		end = MAX_OF(end, noted[other].end);
		intervals_remove(&ranges, other);
	}
	if (!intervals_add(&ranges, start, end, 0))
		incomplete = true;
}

void unforked_note(uint64_t start, uint64_t bytes, int advice)
{
	if (advice != MADV_DONTFORK && advice != MADV_WIPEONFORK)
		return;
	bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
	if (!start || !bytes || start + bytes < start)
		return;
	if (!lock_take(&noting)) {
		__atomic_store_n(&incomplete, true, __ATOMIC_RELAXED);
		return;
	}
	add(start, start + bytes);
	lock_release(&noting);
}

void unforked_fork_child(void)
{
	/* What another thread was just doing with it will never be done. */
	if (noting.word) {
		ranges = (struct intervals){ .at = noted, .room = RANGES_MOST + 1 };
		memset(noted, 0, sizeof noted);
		incomplete = true;
	}
	noting.word = 0;
}

struct range_of_program {
	uint64_t start, end;
};

/* All of them, in pages of ours: RANGES_MOST and one that is empty. NULL: not all are known, or there is no memory. */
static struct range_of_program *take_list(void)
{
	struct range_of_program *list = sys_pages_lazy((RANGES_MOST + 1) * sizeof *list);
	uint32_t count = 0;
	bool whole = list && lock_take(&noting);
	if (whole) {
		uint32_t at = intervals_first(&ranges, 0, UINT64_MAX);
		for (; at; at = intervals_first(&ranges, noted[at].end, UINT64_MAX))
			list[count++] = (struct range_of_program){ noted[at].start, noted[at].end };
		whole = !incomplete;
		lock_release(&noting);
	}
	if (list && !whole) {
		sys_pages_free(list, (RANGES_MOST + 1) * sizeof *list);
		list = NULL;
	}
	return list;
}

/* -- which pages there are ----------------------------------------------------- */

#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)
#define ENTRIES 8192u

/* A part of /proc/self/pagemap. */
struct page_table {
	int fd;
	uint64_t first, count;
	uint64_t *entries; /* ENTRIES of them */
};

/* Whether anything was ever written there, or read: large spaces are set aside of which little is used. Unknown: yes. */
static bool is_used(struct page_table *table, uint64_t address)
{
	uint64_t number = address / PAGE;
	if (table->fd < 0)
		return true;
	if (number - table->first >= table->count) {
		long got = sys_call4(SYS_pread64, table->fd, table->entries, ENTRIES * sizeof(uint64_t),
				     number * sizeof(uint64_t));
		table->first = number;
		table->count = got > 0 ? (uint64_t)got / sizeof(uint64_t) : 0;
		if (!table->count)
			return true;
	}
	return table->entries[number - table->first] & (ENTRY_PRESENT | ENTRY_SWAPPED);
}

/* -- copies --------------------------------------------------------------------- */

/* By the kernel, since the place may be gone. Return: bytes. */
static uint64_t copy_page(uint64_t to, uint64_t from)
{
	struct iovec into = { (void *)to, PAGE }, of = { (void *)from, PAGE };
	long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&into, 1, (long)&of, 1, 0);
	return got == (long)PAGE ? PAGE : 0;
}

/* In front of each page that was copied: where it was. */
#define SLOT (PAGE + sizeof(uint64_t))

/* Return: false: there is no room for all of them. */
static bool copy_all(const struct range_of_program *list, struct page_table *table, char *copies)
{
	uint64_t used = 0;
	for (; list->end; list++)
		for (uint64_t at = list->start; at < list->end; at += PAGE) {
			if (!is_used(table, at))
				continue;
			if (used == BYTES_MOST / PAGE)
				return false;
			char *slot = copies + used * SLOT;
			if (!copy_page((uint64_t)slot + sizeof(uint64_t), at))
				continue;
			*(uint64_t *)slot = at;
			used++;
		}
	return true;
}

int unforked_save(struct unforked *unforked)
{
	*unforked = (struct unforked){ 0 };
	struct range_of_program *list = take_list();
	if (!list)
		return -E2BIG;
	bool whole = true;
	if (list->end) {
		struct page_table table = { .entries = sys_pages_lazy(ENTRIES * sizeof(uint64_t)) };
		table.fd =
		    table.entries ? sys_open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC, 0) : -1;
		unforked->bytes = (BYTES_MOST / PAGE + 1) * SLOT;
		unforked->copies = sys_pages_lazy(unforked->bytes);
		whole = unforked->copies && copy_all(list, &table, unforked->copies);
		if (table.fd >= 0)
			sys_close(table.fd);
		if (table.entries)
			sys_pages_free(table.entries, ENTRIES * sizeof(uint64_t));
	}
	sys_pages_free(list, (RANGES_MOST + 1) * sizeof *list);
	if (!whole)
		unforked_release(unforked);
	return whole ? 0 : -E2BIG;
}

void unforked_release(struct unforked *unforked)
{
	if (unforked->copies)
		sys_pages_free(unforked->copies, unforked->bytes);
	*unforked = (struct unforked){ 0 };
}

void unforked_restore(const struct unforked *unforked)
{
	for (uint64_t at = 0; at + SLOT <= unforked->bytes; at += SLOT) {
		const char *slot = (const char *)unforked->copies + at;
		uint64_t place = *(const uint64_t *)slot;
		if (!place)
			return;
		long got = sys_call6(SYS_mmap, (long)place, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		const uint64_t *from = (const uint64_t *)(slot + sizeof(uint64_t));
		for (uint64_t word = 0; got == (long)place && word < PAGE / sizeof *from; word++)
			((uint64_t *)place)[word] = from[word];
	}
}
