#include "registry/resource.h"

#include <string.h>

#include "base/context.h"
#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/hold.h"
#include "registry/recording.h"
#include "registry/thread.h"

/*
 * A chained hash in private memory beside the table: heads by hash, `next` by
 * entry; both hold entry number + 1, 0 ends. Free entries are chained through
 * `next` too.
 */
#define BUCKETS 65536u

static struct lock lock;
static uint32_t *heads; /* BUCKETS, then one `next` for each entry that the table can hold */
static uint32_t *nexts;
static uint32_t free_entries;

static uint32_t capacity(void)
{
	return (uint32_t)(recording->tables[REC_RESOURCES].capacity / sizeof(struct rec_hold));
}

static struct rec_hold *entry_at(uint32_t number)
{
	return (struct rec_hold *)recording_table(REC_RESOURCES) + (number - 1);
}

static uint32_t *bucket_of(unsigned kind, uint64_t handle)
{
	return &heads[hash_add(kind, handle) % BUCKETS];
}

static bool index_ready(void)
{
	if (heads)
		return true;
	heads = sys_pages_lazy((BUCKETS + (size_t)capacity() + 1) * sizeof *heads);
	nexts = heads ? heads + BUCKETS : NULL;
	return heads;
}

bool resource_add(const struct rec_hold *hold)
{
	if (!lock_take(&lock)) {
		recording_lost(REC_RESOURCES);
		return false;
	}
	uint32_t number = 0;
	if (index_ready()) {
		number = free_entries;
		if (number) {
			free_entries = nexts[number];
		} else {
			uint64_t at = recording_append(REC_RESOURCES, sizeof *hold);
			number = at == UINT64_MAX ? 0 : (uint32_t)(at / sizeof *hold) + 1;
		}
	} else {
		recording_lost(REC_RESOURCES);
	}
	if (number) {
		struct rec_hold *entry = entry_at(number);
		struct rec_hold copy = *hold;
		copy.state = HOLD_FREE;
		*entry = copy;
		__atomic_store_n((uint8_t *)&entry->state, (uint8_t)HOLD_LIVE, __ATOMIC_RELEASE);
		uint32_t *bucket = bucket_of(hold->kind, hold->handle);
		nexts[number] = *bucket;
		*bucket = number;
	}
	lock_release(&lock);
	return number;
}

bool resource_drop(enum kind kind, uint64_t handle, thread_id owner, enum mode *ret_mode)
{
	bool found = false;
	if (!heads || !lock_take(&lock))
		return false;
	for (uint32_t *link = bucket_of(kind, handle); *link; link = &nexts[*link]) {
		uint32_t number = *link;
		struct rec_hold *entry = entry_at(number);
		if (entry->handle != handle || entry->kind != kind || (owner && entry->owner != owner))
			continue;
		found = true;
		if (ret_mode)
			*ret_mode = entry->mode;
		if (entry->count > 1) {
			entry->count--;
			break;
		}
		__atomic_store_n((uint8_t *)&entry->state, (uint8_t)HOLD_FREE, __ATOMIC_RELEASE);
		*link = nexts[number];
		nexts[number] = free_entries;
		free_entries = number;
		break;
	}
	lock_release(&lock);
	return found;
}

void resource_begin(enum kind kind, uint64_t handle, enum op op, stack_id stack, uint64_t container,
		    const char *name)
{
	struct rec_thread *slot = thread_slot();
	self.busy++;
	struct rec_hold hold = {
		.handle = handle,
		.since = sys_monotonic_coarse(),
		.container = container,
		.stack = stack,
		.count = 1,
		.owner = slot ? slot->id : 0,
		.name = recording_text(name),
		.serial = slot ? ++slot->serial : 0,
		.op = (uint16_t)op,
		.kind = (uint8_t)kind,
		.era = __atomic_load_n((uint32_t *)&recording->era, __ATOMIC_RELAXED),
		.mode = MODE_EXCLUSIVE,
	};
	resource_drop(kind, handle, 0, NULL);
	resource_add(&hold);
	self.busy--;
}

bool resource_end(enum kind kind, uint64_t handle)
{
	self.busy++;
	bool known = resource_drop(kind, handle, 0, NULL);
	self.busy--;
	return known;
}

void resource_fork_child(void)
{
	if (heads)
		sys_pages_free(heads, (BUCKETS + (size_t)capacity() + 1) * sizeof *heads);
	heads = nexts = NULL;
	free_entries = 0;
	lock.word = 0;
}
