#include "registry/resource.h"

#include <string.h>

#include "base/context.h"
#include "base/hash.h"
#include "options.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/clock.h"
#include "registry/hold.h"
#include "registry/iteration.h"
#include "registry/recording.h"
#include "registry/span.h"
#include "registry/thread.h"

/*
 * Two chained hashes in private memory beside the table: of all entries by kind and
 * handle, and of those that have a container by that, in both directions, since thousands
 * of iterators may be open on one. Heads and links hold entry number + 1; 0 ends. Free entries are
 * chained through `next` too.
 */
#define BUCKET_BITS 16u
#define BUCKETS (1u << BUCKET_BITS)
#define CONTAINER_BUCKETS 4096u

struct link {
	uint32_t next;
	uint32_t next_of, before_of; /* of the same container's bucket */
};

static struct lock lock;
static uint32_t *heads, *container_heads; /* BUCKETS, CONTAINER_BUCKETS ... */
static struct link *links;                /* ... and one for each entry that the table can hold */
static uint32_t free_entries;

static uint32_t capacity(void)
{
	return (uint32_t)(recording->tables[REC_RESOURCES].capacity / sizeof(struct rec_hold));
}

static size_t index_bytes(void)
{
	return (BUCKETS + CONTAINER_BUCKETS) * sizeof *heads + ((size_t)capacity() + 1) * sizeof *links;
}

static inline struct rec_hold *entry_at(uint32_t number)
{
	return (struct rec_hold *)recording_tables[REC_RESOURCES] + (number - 1);
}

static inline uint32_t place_of(unsigned kind, uint64_t handle)
{
	return hash_place(handle + ((uint64_t)kind << 48), BUCKET_BITS);
}

static uint32_t *container_bucket(uint64_t container)
{
	return &container_heads[hash_mix(container) % CONTAINER_BUCKETS];
}

static inline bool index_made(void)
{
	return __atomic_load_n(&heads, __ATOMIC_ACQUIRE);
}

/* With the lock held. */
static bool index_ready(void)
{
	if (index_made())
		return true;
	uint32_t *made = sys_pages_lazy(index_bytes());
	if (!made)
		return false;
	container_heads = made + BUCKETS;
	links = (void *)(container_heads + CONTAINER_BUCKETS);
	__atomic_store_n(&heads, made, __ATOMIC_RELEASE);
	return true;
}

/* The quick answer, without the lock: false: no such handle is open, as far as this thread can know. */
static inline bool may_be_open(uint32_t place)
{
	return index_made() && __atomic_load_n(&heads[place], __ATOMIC_RELAXED);
}

/*
 * The lock without its atomic instruction, as long as the process has had one thread: that one alone makes the second, and not in
 * here; its handlers find self.busy. The reporter thread has no business in this table.
 */
static inline bool table_take(void)
{
	if (atomic_load_explicit(&recording->threads_started, memory_order_relaxed) != 1)
		return lock_take(&lock);
	__atomic_store_n(&lock.word, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void table_release(void)
{
	lock_release(&lock);
}

static void link_container(uint32_t number, uint64_t container)
{
	uint32_t *bucket = container_bucket(container);
	links[number].before_of = 0;
	links[number].next_of = *bucket;
	if (*bucket)
		links[*bucket].before_of = number;
	__atomic_store_n(bucket, number, __ATOMIC_RELEASE);
}

static void unlink_container(uint32_t number, uint64_t container)
{
	uint32_t before = links[number].before_of, next = links[number].next_of;
	if (before)
		links[before].next_of = next;
	else
		__atomic_store_n(container_bucket(container), next, __ATOMIC_RELEASE);
	if (next)
		links[next].before_of = before;
}

/* The link that names the newest entry of `handle`; NULL: there is none. With the lock held. */
ALWAYS_INLINE uint32_t *find(uint32_t place, enum kind kind, uint64_t handle, text_id sort, thread_id owner)
{
	for (uint32_t *link = &heads[place]; *link; link = &links[*link].next) {
		const struct rec_hold *entry = entry_at(*link);
		if (entry->handle == handle && entry->kind == kind && entry->sort == sort &&
		    (!owner || entry->owner == owner))
			return link;
	}
	return NULL;
}

static NOINLINE uint32_t entry_new(void)
{
	if (!index_ready()) {
		recording_lost(REC_RESOURCES);
		return 0;
	}
	uint64_t at = recording_append(REC_RESOURCES, sizeof(struct rec_hold));
	return at == UINT64_MAX ? 0 : (uint32_t)(at / sizeof(struct rec_hold)) + 1;
}

/* With the lock held: an entry that nobody reads yet, for entry_show. Return: 0: there is no room (counted). */
ALWAYS_INLINE uint32_t entry_take(void)
{
	uint32_t number = free_entries;
	if (UNLIKELY(!number))
		return entry_new();
	free_entries = links[number].next;
	return number;
}

ALWAYS_INLINE void entry_show(uint32_t number, struct rec_hold *entry, uint32_t place, uint64_t container)
{
	__atomic_store_n((uint8_t *)&entry->state, (uint8_t)HOLD_LIVE, __ATOMIC_RELEASE);
	uint32_t *bucket = &heads[place];
	links[number].next = *bucket;
	__atomic_store_n(bucket, number, __ATOMIC_RELAXED);
	if (container)
		link_container(number, container);
}

/* What iterators, and things of a pool, are of; 0: none. */
static uint64_t container_of(const struct rec_hold *hold)
{
	return kind_has(hold->kind, KIND_IS_SIZED) ? 0 : hold->container;
}

/* With the lock held. */
static bool add_locked(const struct rec_hold *hold)
{
	uint32_t number = entry_take();
	if (number) {
		struct rec_hold *entry = entry_at(number);
		struct rec_hold copy = *hold;
		copy.state = HOLD_FREE;
		*entry = copy;
		entry_show(number, entry, place_of(hold->kind, hold->handle), container_of(hold));
	}
	return number;
}

uint64_t resource_identity(const struct rec_hold *hold)
{
	return (uint64_t)hold->serial << 32 | hold->owner;
}

/* With the lock held. */
ALWAYS_INLINE bool drop_locked(uint32_t place, enum kind kind, uint64_t handle, text_id sort, thread_id owner,
			       uint64_t only, struct rec_hold *ret_was)
{
	uint32_t *link = find(place, kind, handle, sort, owner);
	if (!link)
		return false;
	uint32_t number = *link;
	struct rec_hold *entry = entry_at(number);
	if (only && resource_identity(entry) != only)
		return false;
	*ret_was = *entry;
	if (entry->count > 1) {
		entry->count--;
		return true;
	}
	__atomic_store_n((uint8_t *)&entry->state, (uint8_t)HOLD_FREE, __ATOMIC_RELEASE);
	if (container_of(entry))
		unlink_container(number, entry->container);
	__atomic_store_n(link, links[number].next, __ATOMIC_RELAXED);
	links[number].next = free_entries;
	free_entries = number;
	return true;
}

bool resource_add(const struct rec_hold *hold)
{
	if (!table_take()) {
		recording_lost(REC_RESOURCES);
		return false;
	}
	bool added = add_locked(hold);
	table_release();
	return added;
}

static bool drop(enum kind kind, uint64_t handle, text_id sort, thread_id owner, uint64_t only,
		 struct rec_hold *ret_was)
{
	uint32_t place = place_of(kind, handle);
	if (!may_be_open(place) || !table_take())
		return false;
	bool known = drop_locked(place, kind, handle, sort, owner, only, ret_was);
	table_release();
	return known;
}

bool resource_drop(enum kind kind, uint64_t handle, thread_id owner, enum mode *ret_mode)
{
	struct rec_hold was;
	if (!drop(kind, handle, 0, owner, 0, &was))
		return false;
	if (ret_mode)
		*ret_mode = was.mode;
	return true;
}

/* The whole of a span's beginning, for the one in many that is chosen. With self.busy held. */
static uint16_t span_of(const struct resource *what, const struct rec_thread *slot, uint32_t serial,
			text_id name)
{
	struct rec_hold hold = {
		.handle = what->handle,
		.container = what->container,
		.stack = what->stack,
		.owner = slot ? slot->id : 0,
		.name = name,
		.serial = serial,
		.kind = (uint8_t)what->kind,
	};
	return span_begin(&hold);
}

/*
 * The entry is filled in where it lies, field by field: one that is put together first and copied waits for what was just
 * stored in smaller parts.
 */
void resource_acquired(const struct resource *what)
{
	struct rec_thread *slot = thread_slot();
	self.busy++;
	bool iterates = kind_has(what->kind, KIND_IS_ITERATES);
	uint32_t serial = slot ? ++slot->serial : 0;
	text_id name = what->text ? what->text : recording_text(what->name);
	uint16_t span = iterates && options.spans ? span_of(what, slot, serial, name) : 0;
	/* How long iterations take is counted, in finer steps than ticks. */
	nsec_t since = iterates ? sys_monotonic_coarse() : clock_tick();
	uint32_t place = place_of(what->kind, what->handle);
	if (table_take()) {
		struct rec_hold was;
		bool again = may_be_open(place) &&
			     drop_locked(place, what->kind, what->handle, what->sort, 0, 0, &was);
		uint32_t number = entry_take();
		if (number) {
			struct rec_hold *entry = entry_at(number);
			entry->handle = what->handle;
			entry->since = since;
			entry->container = what->container;
			entry->sort = what->sort;
			entry->flags = what->flags | (again ? HOLD_AGAIN : 0);
			entry->stack = what->stack;
			entry->count = 1;
			entry->owner = slot ? slot->id : 0;
			entry->name = name;
			entry->serial = serial;
			entry->op = (uint16_t)what->op;
			entry->kind = (uint8_t)what->kind;
			entry->mode = MODE_EXCLUSIVE;
			entry->timed = false;
			entry->span = span;
			entry->era = atomic_load_explicit(&recording->era, memory_order_relaxed);
			entry_show(number, entry, place, container_of(entry));
		}
		table_release();
	} else {
		recording_lost(REC_RESOURCES);
	}
	self.busy--;
}

bool resource_released(const struct resource *what, struct rec_hold *ret_was)
{
	struct rec_hold unwanted, *was = ret_was ? ret_was : &unwanted;
	bool iterates = kind_has(what->kind, KIND_IS_ITERATES), known = false;
	self.busy++;
	nsec_t now = iterates ? sys_monotonic_coarse() : 0;
	uint32_t place = place_of(what->kind, what->handle);
	if (may_be_open(place) && table_take()) {
		known = drop_locked(place, what->kind, what->handle, what->sort, 0, what->only, was);
		if (known && iterates)
			iteration_ended(was, now);
		table_release();
	}
	if (known && iterates)
		span_end(was);
	self.busy--;
	return known;
}

void resource_begin(enum kind kind, uint64_t handle, enum op op, stack_id stack, uint64_t container,
		    const char *name)
{
	struct resource what = {
		.kind = kind, .op = op, .stack = stack, .handle = handle, .container = container, .name = name
	};
	resource_acquired(&what);
}

bool resource_end(enum kind kind, uint64_t handle)
{
	struct resource what = { .kind = kind, .handle = handle };
	return resource_released(&what, NULL);
}

bool resource_find(const struct resource *what, struct rec_hold *ret_hold)
{
	bool found = false;
	self.busy++;
	uint32_t place = place_of(what->kind, what->handle);
	if (may_be_open(place) && table_take()) {
		const uint32_t *link = find(place, what->kind, what->handle, what->sort, 0);
		found = link;
		if (found)
			*ret_hold = *entry_at(*link);
		table_release();
	}
	self.busy--;
	return found;
}

bool resource_may_be_of(uint64_t container)
{
	return index_made() && __atomic_load_n(container_bucket(container), __ATOMIC_RELAXED);
}

uint32_t resource_find_of(uint64_t container, struct rec_hold *ret_holds, uint32_t room)
{
	uint32_t count = 0;
	self.busy++;
	if (index_made() && table_take()) {
		for (uint32_t number = *container_bucket(container); number && count < room;
		     number = links[number].next_of)
			if (container_of(entry_at(number)) == container)
				ret_holds[count++] = *entry_at(number);
		table_release();
	}
	self.busy--;
	return count;
}

/* -- blocks that are gone ---------------------------------------------------- */

#define SITE_SHIFT 8u /* in the flags of a hold, above enum hold_flag */

static uint32_t block_flags(uint64_t handle)
{
	struct allocation block;
	bool known = handle && allocation_find((const void *)handle, &block);
	return known ? HOLD_IN_BLOCK | block.site << SITE_SHIFT : 0;
}

uint32_t resource_block_flags(uint64_t handle)
{
	self.busy++;
	uint32_t flags = block_flags(handle);
	self.busy--;
	return flags;
}

static bool is_freed(const struct rec_hold *hold)
{
	const uint32_t of_block = UINT32_MAX << SITE_SHIFT | HOLD_IN_BLOCK;
	return (hold->flags & HOLD_IN_BLOCK) && block_flags(hold->handle) != (hold->flags & of_block);
}

void resource_forget_freed(void)
{
	resource_forget(is_freed);
}

void resource_forget(bool (*is_over)(const struct rec_hold *hold))
{
	self.busy++;
	uint32_t count = (uint32_t)(view_used(recording_view(), REC_RESOURCES) / sizeof(struct rec_hold));
	for (uint32_t number = 1; index_made() && number <= count; number++) {
		struct rec_hold hold = *entry_at(number), was;
		if (hold.state != HOLD_LIVE || !is_over(&hold) || !table_take())
			continue;
		/* It may be another one by now. */
		const struct rec_hold *entry = entry_at(number);
		if (entry->state == HOLD_LIVE && entry->handle == hold.handle &&
		    entry->serial == hold.serial && entry->owner == hold.owner)
			drop_locked(place_of(hold.kind, hold.handle), (enum kind)hold.kind, hold.handle,
				    hold.sort, hold.owner, 0, &was);
		table_release();
	}
	self.busy--;
}

void resource_fork_child(void)
{
	if (heads)
		sys_pages_free(heads, index_bytes());
	heads = container_heads = NULL;
	links = NULL;
	free_entries = 0;
	lock.word = 0;
}
