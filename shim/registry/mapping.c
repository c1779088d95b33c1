#include "registry/mapping.h"

#include "base/intervals.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/count.h"
#include "registry/recording.h"
#include "registry/resource.h"
#include "registry/thread.h"

/* As many as the kernel allows where nobody has raised its limit, four times over: it puts neighbours together. */
#define MAPPINGS_MOST ((uint32_t)1 << 18)

static struct lock lock;
static struct intervals intervals;
static uint64_t clock; /* of the newest, from 1 */

uint64_t mapping_clock(void)
{
	return __atomic_load_n(&clock, __ATOMIC_ACQUIRE);
}

/* With the lock held. */
static bool is_ready(void)
{
	if (intervals.at)
		return true;
	intervals.at = sys_pages_lazy(MAPPINGS_MOST * sizeof *intervals.at);
	intervals.room = intervals.at ? MAPPINGS_MOST : 0;
	return intervals.at;
}

static void keep_piece(const struct rec_hold *was, uint64_t start, uint64_t end, uint64_t tag)
{
	struct rec_hold piece = *was;
	piece.handle = start;
	piece.bytes = end - start;
	if (start < end && resource_add(&piece) && !intervals_add(&intervals, start, end, tag)) {
		resource_drop(KIND_MAPPING, start, 0, NULL);
		recording_lost(REC_RESOURCES);
	}
}

/* With the lock held. What began after `before` stays; what remains of the others gets `flags`. */
static void cut(uint64_t start, uint64_t end, uint64_t before, uint32_t flags)
{
	uint64_t from = start;
	uint32_t number;
	while (from < end && (number = intervals_first(&intervals, from, end))) {
		struct interval interval = intervals.at[number];
		from = interval.end;
		if (interval.tag > before)
			continue;
		struct resource what = { .kind = KIND_MAPPING, .handle = interval.start };
		struct rec_hold was;
		bool known = resource_released(&what, &was);
		intervals_remove(&intervals, number);
		if (!known)
			continue;
		was.flags |= flags;
		keep_piece(&was, interval.start, MAX_OF(interval.start, start), interval.tag);
		keep_piece(&was, MIN_OF(interval.end, end), interval.end, interval.tag);
	}
}

void mapping_begin(uint64_t start, uint64_t bytes, enum op op, stack_id stack, uint32_t flags)
{
	struct resource what = { .kind = KIND_MAPPING,
				 .op = op,
				 .handle = start,
				 .bytes = bytes,
				 .stack = stack,
				 .flags = flags };
	self.busy++;
	/* The growth of a place is told by its site, where no block of the heap is counted. */
	count_site(stack);
	if (!lock_take(&lock)) {
		recording_lost(REC_RESOURCES);
		self.busy--;
		return;
	}
	uint64_t number = clock + 1;
	if (is_ready()) {
		cut(start, start + bytes, clock, flags);
		if (intervals_add(&intervals, start, start + bytes, number))
			resource_acquired(&what);
		else
			recording_lost(REC_RESOURCES);
	}
	__atomic_store_n(&clock, number, __ATOMIC_RELEASE);
	lock_release(&lock);
	self.busy--;
}

void mapping_end(uint64_t start, uint64_t bytes, uint64_t before, uint32_t flags)
{
	self.busy++;
	if (intervals.at && lock_take(&lock)) {
		cut(start, start + bytes, before, flags);
		lock_release(&lock);
	}
	self.busy--;
}

bool mapping_find(uint64_t address, struct rec_hold *ret_hold)
{
	bool found = false;
	self.busy++;
	if (intervals.at && lock_take(&lock)) {
		uint32_t number = intervals_first(&intervals, address, address + 1);
		struct resource what = { .kind = KIND_MAPPING,
					 .handle = number ? intervals.at[number].start : 0 };
		found = number && resource_find(&what, ret_hold);
		lock_release(&lock);
	}
	self.busy--;
	return found;
}

void mapping_fork_child(void)
{
	if (intervals.at)
		sys_pages_free(intervals.at, MAPPINGS_MOST * sizeof *intervals.at);
	intervals = (struct intervals){ 0 };
	lock.word = 0;
}
