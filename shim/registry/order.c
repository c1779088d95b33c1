#include "registry/order.h"

#include <string.h>

#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/block_place.h"
#include "registry/object.h"

/* Both open addressing, in private memory. */
#define PLACES (1u << 16)
#define EDGES (1u << 17)
#define PROBES 64u

/*
 * Pairs of locks that were made in the same two places: so many are entered. Chosen somewhat
 * arbitrarily; a ring of more locks than these that were all made in one place goes unnoticed.
 */
#define PAIRS 4096u
#define PAIR_MOST 1024u

/* How far from the start of its block a lock is looked for; further in, it is taken for static. */
#define BLOCK_REACH 4096u
#define BLOCK_STEP 16u

/* An address that a lock has been seen at, and the lock that is there now. */
struct place {
	uint64_t address;
	uint32_t lock; /* 0: none that is known by now */
	uint32_t born; /* of the block, with site and start: another one there is another lock */
	uint64_t block;
	site_id site;
	uint32_t kind;
};

uint32_t order_changes[ORDER_CHANGES];

static struct lock lock;
static struct place *places;
static uint32_t *edges;       /* number of the edge + 1 */
static uint16_t pairs[PAIRS]; /* by a hash of where the two locks were made */

static bool is_ready(void)
{
	if (!places)
		places = sys_pages_lazy(PLACES * sizeof *places);
	if (!edges)
		edges = sys_pages_lazy(EDGES * sizeof *edges);
	return places && edges;
}

/*
 * Where locks have been seen, by a hash of the address's megabytes: most memory that goes had none. A byte is set for
 * good; what shares it only costs a walk over all places.
 */
#define CHUNK_SHIFT 20
#define CHUNKS 4096u

static uint8_t chunks[CHUNKS];

static uint8_t *chunk_of(uint64_t address)
{
	return &chunks[hash_mix(address >> CHUNK_SHIFT) % CHUNKS];
}

/* -- locks ----------------------------------------------------------------- */

/* The place of `address`; with `make` one that can take it. NULL: none. */
static struct place *place_of(uint64_t address, bool make)
{
	struct place *spare = NULL;
	uint32_t at = (uint32_t)hash_mix(address);
	for (unsigned probe = 0; probe < PROBES; probe++) {
		struct place *place = &places[(at + probe) % PLACES];
		if (place->address == address)
			return place;
		if (!spare && !place->lock)
			spare = place;
		if (!place->address)
			break;
	}
	return make ? spare : NULL;
}

/* The block that `address` lies in; false: none that is known. */
static bool block_of(uint64_t address, struct allocation *ret_block)
{
	uint64_t start = address & ~(uint64_t)(BLOCK_STEP - 1);
	for (unsigned back = 0; back < BLOCK_REACH && start; back += BLOCK_STEP, start -= BLOCK_STEP)
		if (allocation_find((const void *)(uintptr_t)start, ret_block))
			return address - start < ret_block->size;
	return false;
}

static bool is_same_block(const struct place *place)
{
	struct allocation block;
	if (!place->block)
		return true;
	return allocation_find((const void *)(uintptr_t)place->block, &block) && block.born == place->born &&
	       block.site == place->site;
}

static uint32_t lock_add(struct place *place, unsigned kind, uint64_t address)
{
	struct allocation block = { 0 };
	uint64_t at = recording_append(REC_LOCKS, sizeof(struct rec_lock));
	if (at == UINT64_MAX)
		return 0;
	struct rec_lock *entry = (struct rec_lock *)((char *)recording_table(REC_LOCKS) + at);
	entry->address = address;
	entry->kind = (uint8_t)kind;
	entry->units = kind == KIND_SEM ? object_units(address) : 0;
	bool is_allocated = block_of(address, &block);
	entry->made = object_made((enum kind)kind, address);
	if (!entry->made && is_allocated) {
		const struct rec_site *site = view_site(recording_view(), block.site);
		entry->made = site ? site->stack : 0;
		entry->offset = (uint32_t)(address - block.address);
	}
	entry->place = is_allocated ? block_place_note(address, REC_PLACES_MOST / 4) : 0;
	*chunk_of(address) = 1;
	*place = (struct place){
		.address = address,
		.lock = (uint32_t)(at / sizeof *entry) + 1,
		.born = block.born,
		.block = is_allocated ? block.address : 0,
		.site = block.site,
		.kind = kind,
	};
	return place->lock;
}

/* The number of the lock that is held there; 0: no room. */
static uint32_t lock_of(const struct rec_hold *hold)
{
	struct place *place = place_of(hold->handle, true);
	if (!place) {
		recording_lost(REC_LOCKS);
		return 0;
	}
	if (place->address == hold->handle && place->lock && place->kind == hold->kind &&
	    is_same_block(place))
		return place->lock;
	return lock_add(place, hold->kind, hold->handle);
}

void order_forget(uint64_t handle)
{
	__atomic_fetch_add(order_change_of(handle), 1, __ATOMIC_RELAXED);
	if (!places)
		return;
	self.busy++;
	if (lock_take(&lock)) {
		struct place *place = place_of(handle, false);
		if (place)
			place->lock = 0;
		lock_release(&lock);
	}
	self.busy--;
}

void order_no_lock(uint64_t handle)
{
	if (!places)
		return;
	self.busy++;
	if (lock_take(&lock)) {
		const struct place *place = place_of(handle, false);
		if (place && place->lock && place->kind == KIND_SEM) {
			struct rec_lock *entry =
			    (struct rec_lock *)recording_table(REC_LOCKS) + (place->lock - 1);
			__atomic_store_n(&entry->is_none, 1, __ATOMIC_RELAXED);
		}
		lock_release(&lock);
	}
	self.busy--;
}

static bool is_seen(uint64_t from, uint64_t to)
{
	if (to <= from)
		return false;
	uint64_t first = from >> CHUNK_SHIFT, last = (to - 1) >> CHUNK_SHIFT;
	if (last - first >= CHUNKS)
		return true;
	for (uint64_t chunk = first; chunk <= last; chunk++)
		if (*chunk_of(chunk << CHUNK_SHIFT))
			return true;
	return false;
}

void order_forget_range(uint64_t from, uint64_t to)
{
	if (!places || !is_seen(from, to))
		return;
	self.busy++;
	if (lock_take(&lock)) {
		for (struct place *place = places; place < places + PLACES; place++)
			if (place->lock && place->address >= from && place->address < to) {
				__atomic_fetch_add(order_change_of(place->address), 1, __ATOMIC_RELAXED);
				place->lock = 0;
			}
		lock_release(&lock);
	}
	self.busy--;
}

/* -- edges ----------------------------------------------------------------- */

/* What stands for the locks that were made where this one was. */
static uint64_t class_of(uint32_t number)
{
	const struct rec_lock *entry = view_lock(recording_view(), number);
	if (!entry)
		return number;
	return entry->made ? hash_add(entry->made, entry->offset) : entry->address;
}

/* Whether there are enough of these already. */
static bool is_one_too_many(const struct rec_edge *edge)
{
	uint16_t *pair = &pairs[hash_add(class_of(edge->held), class_of(edge->acquired)) % PAIRS];
	if (*pair >= PAIR_MOST)
		return true;
	++*pair;
	return false;
}

static bool is_same_edge(const struct rec_edge *a, const struct rec_edge *b)
{
	return a->held == b->held && a->acquired == b->acquired && a->held_mode == b->held_mode &&
	       a->acquired_mode == b->acquired_mode && a->guard_count == b->guard_count &&
	       a->more_guards == b->more_guards && memcmp(a->guards, b->guards, sizeof a->guards) == 0;
}

/* The entry for an edge like `wanted`, made if there is none; NULL: no room, or no need. */
static struct rec_edge *edge_of(const struct rec_edge *wanted)
{
	struct rec_edge *table = recording_table(REC_EDGES);
	uint64_t hash = hash_add(wanted->held, wanted->acquired);
	for (unsigned i = 0; i < wanted->guard_count; i++)
		hash = hash_add(hash, wanted->guards[i]);
	for (unsigned probe = 0; probe < PROBES; probe++) {
		uint32_t *number = &edges[(hash + probe) % EDGES];
		if (*number && is_same_edge(&table[*number - 1], wanted))
			return &table[*number - 1];
		if (*number)
			continue;
		if (is_one_too_many(wanted))
			return NULL;
		uint64_t at = recording_append(REC_EDGES, sizeof *wanted);
		if (at == UINT64_MAX)
			return NULL;
		*number = (uint32_t)(at / sizeof *wanted) + 1;
		struct rec_edge *edge = &table[*number - 1];
		memcpy((char *)edge + sizeof edge->held, (const char *)wanted + sizeof wanted->held,
		       sizeof *edge - sizeof edge->held);
		atomic_store_explicit(&edge->held, wanted->held, memory_order_release);
		return edge;
	}
	recording_lost(REC_EDGES);
	return NULL;
}

/*
 * Enters that the thread did so now. The first time of each of the first threads is kept, and of the
 * newest threads the newest: a pool that comes and goes is known by some of its oldest and its newest.
 */
static void sight_add(struct rec_edge *edge, const struct rec_sight *sight)
{
	struct rec_sight *newest = NULL;
	unsigned mine = 0;
	for (struct rec_sight *at = edge->sights; at < edge->sights + REC_EDGE_SIGHTS; at++) {
		if (at->thread == sight->thread && at->time == sight->time)
			return;
		if (at->thread == sight->thread) {
			mine++;
			newest = at;
		}
	}
	if (mine > 1) {
		atomic_store_explicit(&newest->time, sight->time, memory_order_relaxed);
	} else {
		struct rec_sight *place = edge->sights;
		while (place < edge->sights + REC_EDGE_SIGHTS - 1 && place->thread)
			place++;
		atomic_store_explicit(&place->thread, 0, memory_order_relaxed);
		__atomic_thread_fence(__ATOMIC_RELEASE);
		place->held_stack = sight->held_stack;
		place->acquired_stack = sight->acquired_stack;
		place->name = sight->name;
		atomic_store_explicit(&place->time, sight->time, memory_order_relaxed);
		atomic_store_explicit(&place->thread, sight->thread, memory_order_release);
	}
	atomic_fetch_add_explicit(&recording->order_news, 1, memory_order_release);
}

/* -- what a thread holds --------------------------------------------------- */

/*
 * How many threads can have it at once, of a lock that another may be blocked on for long; 0: it is none, or this thread
 * does not have it. Of semaphores those that are used as locks.
 */
static uint32_t units_of(const struct rec_hold *hold)
{
	if (atomic_load_explicit(&hold->state, memory_order_relaxed) != HOLD_LIVE)
		return 0;
	if (hold->kind == KIND_SEM)
		return object_units(hold->handle);
	return hold->kind == KIND_MUTEX || hold->kind == KIND_RWLOCK || hold->kind == KIND_SPIN;
}

/* One lock of those that are held when another is acquired. */
struct held {
	uint32_t lock; /* 0: none */
	uint8_t mode;
	bool alone; /* nobody else can have it meanwhile, but for readers: who wants it waits */
};

/* Locks of other kinds make no edges, but who has one in common with another thread can't meet it. */
static bool is_gate(const struct rec_hold *hold)
{
	return atomic_load_explicit(&hold->state, memory_order_relaxed) == HOLD_LIVE &&
	       (hold->kind == KIND_LOCK || hold->kind == KIND_STREAM_LOCK || hold->kind == KIND_FILE_LOCK);
}

static struct held held_of(const struct rec_hold *hold)
{
	uint32_t units = units_of(hold);
	if (!units)
		return is_gate(hold) ? (struct held){ .lock = lock_of(hold), .mode = hold->mode }
				     : (struct held){ 0 };
	bool alone = units == 1;
	return (struct held){ .lock = lock_of(hold),
			      .mode = hold->kind != KIND_SEM ? hold->mode
				      : alone                ? MODE_EXCLUSIVE
							     : MODE_SHARED,
			      .alone = alone };
}

/*
 * Whether the thread is in a once-routine or a static initialiser. What happens there happens once, and whoever
 * has called it as well comes after it: that can't be told from one who has not, so no edge is made of it.
 */
static bool is_in_routine(const struct rec_thread *slot, uint32_t holds)
{
	for (uint32_t i = 0; i < holds; i++)
		if (kind_has(slot->holds[i].kind, KIND_IS_ROUTINE) &&
		    atomic_load_explicit(&slot->holds[i].state, memory_order_relaxed) == HOLD_LIVE)
			return true;
	return false;
}

/* `at`: which of the holds was acquired with the others held, as `how` says. */
static void learn(const struct rec_thread *slot, uint32_t holds, uint32_t at, const struct order_how *how)
{
	struct held held[REC_SLOT_HOLDS];
	uint32_t time = (uint32_t)(view_used(recording_view(), REC_LINEAGE) / sizeof(struct rec_lineage));
	if (!units_of(&slot->holds[at]) || is_in_routine(slot, holds))
		return;
	for (uint32_t i = 0; i < holds; i++)
		held[i] = held_of(&slot->holds[i]);
	for (uint32_t i = 0; i < holds && held[at].alone; i++) {
		const struct rec_hold *hold = &slot->holds[i];
		if (!held[i].lock || !held[i].alone || !held[at].lock || held[i].lock == held[at].lock)
			continue;
		struct rec_edge edge = {
			.held = held[i].lock,
			.acquired = held[at].lock,
			.held_mode = held[i].mode,
			.acquired_mode = held[at].mode,
			.held_op = hold->op,
			.acquired_op = how->op,
		};
		edge.more_guards = slot->flags & THREAD_HELD_MANY ? 1 : 0;
		for (uint32_t g = 0; g < holds; g++) {
			if (g == i || g == at || !held[g].lock)
				continue;
			if (edge.guard_count < REC_EDGE_GUARDS)
				edge.guards[edge.guard_count++] =
				    held[g].lock << 1 | (held[g].mode == MODE_SHARED);
			else
				edge.more_guards = 1;
		}
		struct rec_edge *entry = edge_of(&edge);
		if (entry)
			sight_add(entry, &(struct rec_sight){ .thread = slot->id,
							      .time = time,
							      .held_stack = hold->stack,
							      .acquired_stack = how->stack,
							      .name = recording_text(slot->name) });
	}
}

static void learn_once(const struct rec_thread *slot, uint32_t holds, uint32_t at,
		       const struct order_how *how, uint64_t seen)
{
	self.busy++;
	if (!self.order_seen)
		self.order_seen = sys_pages(ORDER_SEEN * sizeof *self.order_seen);
	if (lock_take(&lock)) {
		if (is_ready())
			learn(slot, holds, at, how);
		lock_release(&lock);
	}
	if (self.order_seen)
		self.order_seen[seen % ORDER_SEEN] = seen;
	self.busy--;
}

NOINLINE void order_learn(const struct rec_thread *slot, uint32_t holds, uint64_t seen)
{
	const struct rec_hold *acquired = &slot->holds[holds - 1];
	struct order_how how = { .stack = acquired->stack, .op = acquired->op };
	learn_once(slot, holds, holds - 1, &how, seen);
}

NOINLINE void order_again(const struct rec_thread *slot, uint64_t handle, const struct order_how *how)
{
	uint32_t holds = MIN_OF(slot->hold_count, REC_SLOT_HOLDS);
	uint32_t at = 0;
	while (at < holds && !(slot->holds[at].handle == handle && slot->holds[at].kind == KIND_MUTEX))
		at++;
	/* What was held before it has been entered when it was taken first. */
	if (at + 1 >= holds)
		return;
	uint64_t seen = hash_add(order_hash(slot, holds), handle);
	if (!self.order_seen || self.order_seen[seen % ORDER_SEEN] != seen)
		learn_once(slot, holds, at, how, seen);
}

/* -- threads --------------------------------------------------------------- */

static void lineage_add(enum lineage_kind kind, thread_id by, thread_id of)
{
	uint64_t at = by && of ? recording_append(REC_LINEAGE, sizeof(struct rec_lineage)) : UINT64_MAX;
	if (at == UINT64_MAX)
		return;
	struct rec_lineage *entry = (struct rec_lineage *)((char *)recording_table(REC_LINEAGE) + at);
	entry->by = by;
	entry->of = of;
	__atomic_store_n(&entry->kind, (uint32_t)kind, __ATOMIC_RELEASE);
}

void order_created(thread_id by, thread_id of)
{
	lineage_add(LINEAGE_CREATED, by, of);
}

void order_joined(thread_id by, thread_id of)
{
	lineage_add(LINEAGE_JOINED, by, of);
}

void order_thread_end(void)
{
	uint64_t *seen = self.order_seen;
	self.order_seen = NULL;
	if (seen)
		sys_pages_free(seen, ORDER_SEEN * sizeof *seen);
}

void order_fork_child(void)
{
	if (places)
		sys_pages_free(places, PLACES * sizeof *places);
	if (edges)
		sys_pages_free(edges, EDGES * sizeof *edges);
	places = NULL;
	edges = NULL;
	memset(pairs, 0, sizeof pairs);
	memset(chunks, 0, sizeof chunks);
	lock.word = 0;
	order_thread_end();
}
