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
	int fd; /* -1: it can't be read */
	uint64_t first, count;
	uint64_t *entries; /* ENTRIES of them */
};

static struct page_table table_open(void)
{
	struct page_table table = { .entries = sys_pages_lazy(ENTRIES * sizeof(uint64_t)) };
	table.fd = table.entries ? sys_open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC, 0) : -1;
	return table;
}

static void table_close(const struct page_table *table)
{
	if (table->fd >= 0)
		sys_close(table->fd);
	if (table->entries)
		sys_pages_free(table->entries, ENTRIES * sizeof(uint64_t));
}

/*
 * Whether anything was ever written there, or read: large spaces are set aside of which little is used. Unknown: yes. Up to `end`
 * there may be more questions.
 */
static bool is_used(struct page_table *table, uint64_t address, uint64_t end)
{
	uint64_t number = address / PAGE;
	if (table->fd < 0)
		return true;
	if (number - table->first >= table->count) {
		const uint64_t wanted = MIN_OF(end / PAGE - number, (uint64_t)ENTRIES);
		long got = sys_call4(SYS_pread64, table->fd, table->entries, wanted * sizeof(uint64_t),
				     number * sizeof(uint64_t));
		table->first = number;
		table->count = got > 0 ? (uint64_t)got / sizeof(uint64_t) : 0;
		if (!table->count)
			return true;
	}
	return table->entries[number - table->first] & (ENTRY_PRESENT | ENTRY_SWAPPED);
}

/* -- copies --------------------------------------------------------------------- */

#define PAGES_MOST (BYTES_MOST / PAGE)
#define RUNS_BYTES (((PAGES_MOST + 1) * sizeof(struct run) + PAGE - 1) & ~(PAGE - 1))
#define COPIES_BYTES (RUNS_BYTES + BYTES_MOST)

/* What is copied by one call of the kernel at the most. Chosen somewhat arbitrarily. */
#define BATCH 128u

/* Pages in a row that were copied, and where they were. `bytes` 0: behind the last. */
struct run {
	uint64_t start, bytes;
};

/*
 * In front all runs, and their pages behind one another:
 *
 *   copies ─▶ │ run │ run │ 0 ... │ pages of the first run │ of the second │ ...
 *                                 ◀─ RUNS_BYTES from the start
 */
struct copying {
	struct run *runs;
	char *pages;
	uint64_t run_count, bytes; /* that are whole */
	struct run batch[BATCH];   /* to be copied next */
	uint64_t batch_count, batch_bytes;
};

/* By the kernel, since the place may be gone. Return: whether it is all there. */
static bool copy_runs(const struct run *runs, uint64_t count, char *to, uint64_t bytes)
{
	struct iovec into = { to, bytes }, of[BATCH];
	for (uint64_t i = 0; i < count; i++)
		of[i] = (struct iovec){ (void *)runs[i].start, runs[i].bytes };
	long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&into, 1, (long)of, (long)count, 0);
	return got == (long)bytes;
}

/* Copies the batch to the end of what is there; where some of it is gone, page by page what is not. */
static void copy_batch(struct copying *copying)
{
	if (copying->batch_count && copy_runs(copying->batch, copying->batch_count,
					      copying->pages + copying->bytes, copying->batch_bytes)) {
		memcpy(&copying->runs[copying->run_count], copying->batch,
		       copying->batch_count * sizeof(struct run));
		copying->run_count += copying->batch_count;
		copying->bytes += copying->batch_bytes;
	} else {
		for (uint64_t i = 0; i < copying->batch_count; i++)
			for (uint64_t at = 0; at < copying->batch[i].bytes; at += PAGE) {
				const struct run page = { copying->batch[i].start + at, PAGE };
				if (!copy_runs(&page, 1, copying->pages + copying->bytes, PAGE))
					continue;
				copying->runs[copying->run_count++] = page;
				copying->bytes += PAGE;
			}
	}
	copying->batch_count = copying->batch_bytes = 0;
}

/* Return: false: there is no room for it. */
static bool copy_page(struct copying *copying, uint64_t at)
{
	struct run *last = copying->batch_count ? &copying->batch[copying->batch_count - 1] : NULL;
	if (copying->bytes + copying->batch_bytes == BYTES_MOST)
		return false;
	if (!last || last->start + last->bytes != at) {
		if (copying->batch_count == BATCH)
			copy_batch(copying);
		last = &copying->batch[copying->batch_count++];
		*last = (struct run){ .start = at };
	}
	last->bytes += PAGE;
	copying->batch_bytes += PAGE;
	return true;
}

/* Return: false: there is no room for all of them. */
static bool copy_all(const struct range_of_program *list, struct page_table *table, char *copies)
{
	struct copying copying = { .runs = (struct run *)copies, .pages = copies + RUNS_BYTES };
	for (; list->end; list++)
		for (uint64_t at = list->start; at < list->end; at += PAGE)
			if (is_used(table, at, list->end) && !copy_page(&copying, at))
				return false;
	copy_batch(&copying);
	copying.runs[copying.run_count] = (struct run){ 0 }; /* there may be others from before */
	return true;
}

static bool make_room(struct unforked *unforked)
{
	if (!unforked->copies)
		unforked->copies = sys_pages_lazy(COPIES_BYTES);
	unforked->bytes = COPIES_BYTES;
	return unforked->copies;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void unforked_prepare(struct unforked *unforked)
{
	struct range_of_program *list = take_list();
	if (list && list->end && make_room(unforked)) {
		struct page_table table = table_open();
		uint64_t bytes = 0;
		for (const struct range_of_program *range = list; range->end; range++)
			for (uint64_t at = range->start; at < range->end && bytes < BYTES_MOST; at += PAGE)
				bytes += is_used(&table, at, range->end) ? PAGE : 0;
		table_close(&table);
		/* An old kernel refuses, and the pages come one by one as they are written. */
		sys_call3(SYS_madvise, unforked->copies, RUNS_BYTES + bytes, MADV_POPULATE_WRITE);
	}
	if (list)
		sys_pages_free(list, (RANGES_MOST + 1) * sizeof *list);
}

int unforked_save(struct unforked *unforked)
{
	struct range_of_program *list = take_list();
	if (!list)
		return -E2BIG;
	bool whole = true;
	if (list->end) {
		struct page_table table = table_open();
		whole = make_room(unforked) && copy_all(list, &table, unforked->copies);
		table_close(&table);
	}
	sys_pages_free(list, (RANGES_MOST + 1) * sizeof *list);
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
	if (!unforked->copies)
		return;
	const struct run *run = unforked->copies;
	const uint64_t *from = (const uint64_t *)((const char *)unforked->copies + RUNS_BYTES);
	for (; run->bytes; run++) {
		uint64_t *place = (uint64_t *)run->start;
		long got = sys_call6(SYS_mmap, (long)place, (long)run->bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		for (uint64_t word = 0; got == (long)place && word < run->bytes / sizeof *from; word++)
			place[word] = from[word];
		from += run->bytes / sizeof *from;
	}
}
