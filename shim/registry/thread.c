#include "registry/thread.h"

#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "platform/thread_self.h"
#include "platform/tsd.h"
#include "registry/allocation.h"
#include "registry/contention.h"
#include "registry/count.h"
#include "registry/farewell.h"
#include "registry/order.h"
#include "registry/recording.h"
#include "registry/signalled.h"
#include "registry/stack_depth.h"
#include "stack/memory.h"
#include "stack/stack.h"

__thread struct self_state self TLS_IE;

/*
 * Slots are handed out under this lock; everything in a slot is then its thread's own. The lock
 * is taken at the start and end of threads only.
 */
static struct lock slots;
static uint32_t free_hint; /* no free slot below it */
static uint32_t generation = 1;

/* Outlives the slots, so that what a thread left open can be told from what others did. */
static thread_id creators[65536];

static struct rec_thread *slot_at(uint32_t index)
{
	return (struct rec_thread *)((char *)recording_table(REC_THREADS) + (size_t)index * REC_SLOT_BYTES);
}

static uint32_t slot_count(void)
{
	return (uint32_t)(atomic_load_explicit(&recording->tables[REC_THREADS].used, memory_order_acquire) /
			  REC_SLOT_BYTES);
}

static uint32_t slot_index(const struct rec_thread *slot)
{
	return (uint32_t)(((const char *)slot - (const char *)recording_table(REC_THREADS)) / REC_SLOT_BYTES);
}

/* -- by name ----------------------------------------------------------------- */

/*
 * Slots by the hash of their pthread_t: of ten thousand threads that are joined one by one, a walk over all slots for each takes
 * seconds. What stands in a place may be out of date, or another process's, so the slot has to say the same. A name that is in none of
 * its places is no thread's that is known, unless some name has found all of its own taken.
 */
#define NAMES 131072u
#define NAMES_NEAR 4u /* places from its own on that a name may be in */

/* Index of the slot, from 1; 0: none. Pages of their own: half a megabyte, of which most programs touch little. */
static uint32_t *names;
static bool names_crowded;

static bool names_ready(void)
{
	uint32_t *none = NULL;
	if (LIKELY(__atomic_load_n(&names, __ATOMIC_ACQUIRE)))
		return true;
	uint32_t *made = sys_pages_lazy(NAMES * sizeof *names);
	if (!made)
		return false;
	if (!__atomic_compare_exchange_n(&names, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		sys_pages_free(made, NAMES * sizeof *names);
	return true;
}

static uint32_t *name_place(uint64_t pthread, uint32_t near)
{
	return &names[((uint32_t)hash_mix(pthread) + near) % NAMES];
}

/* NULL: none that is in use. */
static struct rec_thread *numbered_slot(uint32_t number)
{
	struct rec_thread *slot = number && number <= slot_count() ? slot_at(number - 1) : NULL;
	return slot && atomic_load_explicit(&slot->state, memory_order_acquire) != THREAD_FREE ? slot : NULL;
}

/* Whether the name of `slot` may stand in `place`: the slot may have gone on to another thread since. */
static bool is_home(const uint32_t *place, const struct rec_thread *slot)
{
	return ((uint32_t)(place - names) - (uint32_t)hash_mix(slot->pthread)) % NAMES < NAMES_NEAR;
}

static void name_enter(const struct rec_thread *slot)
{
	uint32_t number = slot_index(slot) + 1;
	bool entered = false;
	for (uint32_t i = 0; i < NAMES_NEAR && names_ready(); i++) {
		uint32_t *place = name_place(slot->pthread, i);
		uint32_t there = __atomic_load_n(place, __ATOMIC_RELAXED);
		const struct rec_thread *other = numbered_slot(there);
		if (other && other->pthread != slot->pthread && is_home(place, other))
			continue;
		/* Nobody's, or of a thread that had this name before. */
		entered |= __atomic_compare_exchange_n(place, &there, entered ? 0 : number, false,
						       __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
	if (!entered)
		__atomic_store_n(&names_crowded, true, __ATOMIC_RELAXED);
}

static bool is_named(const struct rec_thread *slot, uint64_t pthread)
{
	return slot->pthread == pthread && !(slot->flags & THREAD_JOINED);
}

static struct rec_thread *name_find(uint64_t pthread)
{
	for (uint32_t i = 0; i < NAMES_NEAR && __atomic_load_n(&names, __ATOMIC_ACQUIRE); i++) {
		struct rec_thread *slot =
		    numbered_slot(__atomic_load_n(name_place(pthread, i), __ATOMIC_ACQUIRE));
		if (slot && is_named(slot, pthread))
			return slot;
	}
	return NULL;
}

/* -- slots -------------------------------------------------------------------- */

void thread_write_begin(struct rec_thread *slot)
{
	uint32_t changes = atomic_load_explicit(&slot->changes, memory_order_relaxed);
	atomic_store_explicit(&slot->changes, changes + 1, memory_order_relaxed);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void thread_write_end(struct rec_thread *slot)
{
	uint32_t changes = atomic_load_explicit(&slot->changes, memory_order_relaxed);
	atomic_store_explicit(&slot->changes, changes + 1, memory_order_release);
}

/* A blank slot in state STARTING, or NULL. Its `changes` go on counting, so that a reader sees that it changed hands. */
static struct rec_thread *slot_take(void)
{
	struct rec_thread *slot = NULL;
	if (!lock_take(&slots))
		return NULL;
	uint32_t count = slot_count();
	uint32_t i = free_hint;
	while (i < count && atomic_load_explicit(&slot_at(i)->state, memory_order_acquire) != THREAD_FREE)
		i++;
	free_hint = i;
	if (i < count || recording_append(REC_THREADS, REC_SLOT_BYTES) != UINT64_MAX) {
		slot = slot_at(i);
		thread_write_begin(slot);
		memset((char *)slot + sizeof slot->word, 0, sizeof *slot - sizeof slot->word);
		slot->hold_count = 0;
		slot->wait_depth = 0;
		atomic_store_explicit(&slot->state, THREAD_STARTING, memory_order_release);
		thread_write_end(slot);
		free_hint = i + 1;
	}
	lock_release(&slots);
	return slot;
}

static void slot_free(struct rec_thread *slot)
{
	uint32_t index = slot_index(slot);
	thread_write_begin(slot);
	atomic_store_explicit(&slot->state, THREAD_FREE, memory_order_release);
	thread_write_end(slot);
	if (lock_take(&slots)) {
		if (index < free_hint)
			free_hint = index;
		lock_release(&slots);
	}
}

static bool slot_holds_anything(const struct rec_thread *slot)
{
	uint32_t count = MIN_OF(slot->hold_count, REC_SLOT_HOLDS);
	for (uint32_t i = 0; i < count; i++)
		if (slot->holds[i].state == HOLD_LIVE && (kind_traits(slot->holds[i].kind) & KIND_IS_THREAD))
			return true;
	return false;
}

/* Frees the slot of a thread that has ended, that nobody will join any more and that left nothing behind. */
static void slot_settle(struct rec_thread *slot)
{
	uint32_t ended = THREAD_ENDED;
	if (!(slot->flags & (THREAD_DETACHED | THREAD_JOINED | THREAD_FOREIGN)) || slot_holds_anything(slot))
		return;
	/* Whoever joins or detaches may come at the same moment as the end: one of the two gets it. */
	if (atomic_compare_exchange_strong_explicit(&slot->state, &ended, THREAD_STARTING,
						    memory_order_acq_rel, memory_order_relaxed))
		slot_free(slot);
}

static thread_id next_id(int32_t tid)
{
	uint32_t started = atomic_fetch_add_explicit(&recording->threads_started, 1, memory_order_relaxed);
	if (tid == recording->pid)
		return 1;
	return MAX_OF(started, 1u) + 1;
}

static void slot_begin(struct rec_thread *slot, uint32_t flags)
{
	int32_t tid = sys_tid();
	thread_write_begin(slot);
	if (!slot->id)
		slot->id = next_id(tid);
	slot->tid = tid;
	slot->pthread = thread_self_handle();
	slot->tls = thread_self_pointer();
	name_enter(slot); /* before it runs: whoever sees that may look for its name */
	slot->started = sys_monotonic_coarse();
	atomic_fetch_or_explicit(&slot->flags, flags | (tid == recording->pid ? THREAD_MAIN : 0),
				 memory_order_relaxed);
	thread_self_name(slot->name);
	atomic_store_explicit(&slot->state, THREAD_RUNNING, memory_order_release);
	thread_write_end(slot);
	self.slot = slot;
	self.generation = generation;
}

struct rec_thread *thread_slot(void)
{
	if (LIKELY(self.slot && self.generation == generation))
		return self.slot;
	if (self.guest || self.ended || !recording)
		return NULL;
	self.busy++;
	struct rec_thread *slot = slot_take();
	if (slot) {
		slot_begin(slot, sys_tid() == recording->pid ? 0 : THREAD_FOREIGN);
		tsd_arm();
	}
	self.busy--;
	return slot;
}

struct rec_thread *thread_create(stack_id stack, uint64_t start_routine, uint64_t argument, bool detached)
{
	struct rec_thread *creator = thread_slot();
	self.busy++;
	struct rec_thread *slot = slot_take();
	if (slot) {
		thread_write_begin(slot);
		slot->id = next_id(0);
		slot->creator = creator ? creator->id : 0;
		creators[slot->id % COUNT_OF(creators)] = slot->creator;
		slot->created_stack = stack;
		slot->start_routine = start_routine;
		slot->argument = argument;
		slot->flags = detached ? THREAD_DETACHED | THREAD_MADE_DETACHED : 0;
		slot->started = sys_monotonic_coarse();
		thread_write_end(slot);
		order_created(slot->creator, slot->id);
	}
	self.busy--;
	return slot;
}

void thread_stack(struct rec_thread *slot, uint64_t low, uint64_t bytes)
{
	thread_write_begin(slot);
	slot->stack_low = low;
	slot->stack_bytes = bytes;
	if (low)
		atomic_fetch_or_explicit(&slot->flags, THREAD_STACK_GIVEN, memory_order_relaxed);
	thread_write_end(slot);
}

void thread_create_failed(struct rec_thread *slot)
{
	if (slot)
		slot_free(slot);
}

void thread_created(struct rec_thread *slot, uint64_t pthread)
{
	/*
	 * A detached thread may have ended already and its slot be somebody else's: then it has
	 * said so itself and the field must be left alone. One that is just about to say so may be looked for before it does.
	 */
	if (slot && atomic_load_explicit(&slot->state, memory_order_acquire) == THREAD_STARTING &&
	    (slot->pthread == 0 || slot->pthread == pthread)) {
		slot->pthread = pthread;
		name_enter(slot);
	}
}

void thread_begin(struct rec_thread *slot)
{
	if (!slot)
		return;
	self.busy++;
	slot_begin(slot, 0);
	stack_depth_thread_begin(slot);
	tsd_arm();
	self.busy--;
}

static void brief_of(const struct rec_thread *slot, struct thread_brief *ret_brief)
{
	*ret_brief = (struct thread_brief){
		.pthread = slot->pthread,
		.id = slot->id,
		.flags = slot->flags,
		.created_stack = slot->created_stack,
		.started = slot->started,
	};
	memcpy(ret_brief->name, slot->name, sizeof ret_brief->name - 1);
}

void thread_end(void)
{
	struct rec_thread *slot = self.slot;
	if (!slot || self.generation != generation || self.ended)
		return;
	self.busy++;
	count_flush();
	count_thread_end();
	contention_thread_end();
	signalled_thread_end();
	allocation_thread_end();
	stack_depth_thread_end(slot);
	if (slot->flags & THREAD_MADE_DETACHED) {
		struct thread_brief brief;
		brief_of(slot, &brief);
		farewell_say(&brief, OP_none, 0);
	}
	thread_write_begin(slot);
	slot->ended = sys_monotonic_coarse();
	slot->wait_depth = 0;
	atomic_store_explicit(&slot->state, THREAD_ENDED, memory_order_release);
	thread_write_end(slot);
	self.slot = NULL;
	self.ended = true;
	order_thread_end();
	stack_thread_end();
	slot_settle(slot);
	self.busy--;
}

void thread_end_early(void)
{
	struct rec_thread *slot = self.slot;
	if (slot && self.generation == generation && !self.ended) {
		thread_write_begin(slot);
		slot->hold_count = 0;
		thread_write_end(slot);
	}
	thread_end();
}

/* The newest slot of the thread with that name, which nobody has joined; NULL: none. */
static struct rec_thread *slot_find(uint64_t pthread)
{
	struct rec_thread *found = name_find(pthread);
	uint32_t count = !found && __atomic_load_n(&names_crowded, __ATOMIC_RELAXED) ? slot_count() : 0;
	for (uint32_t i = 0; i < count; i++) {
		struct rec_thread *slot = slot_at(i);
		if (atomic_load_explicit(&slot->state, memory_order_acquire) == THREAD_FREE ||
		    !is_named(slot, pthread))
			continue;
		if (!found || slot->id > found->id)
			found = slot;
	}
	return found;
}

thread_id thread_creator(thread_id id)
{
	return creators[id % COUNT_OF(creators)];
}

bool thread_brief(uint64_t pthread, struct thread_brief *ret_brief)
{
	const struct rec_thread *slot = slot_find(pthread);
	if (slot)
		brief_of(slot, ret_brief);
	return slot;
}

bool thread_unnamed(void)
{
	uint32_t count = slot_count();
	for (uint32_t i = 0; i < count; i++)
		if (atomic_load_explicit(&slot_at(i)->state, memory_order_acquire) == THREAD_STARTING &&
		    !slot_at(i)->pthread)
			return true;
	return recording->tables[REC_THREADS].lost;
}

static struct rec_thread *slot_of_id(thread_id id, uint64_t pthread)
{
	struct rec_thread *named = name_find(pthread);
	if (named && named->id == id)
		return named;
	uint32_t count = slot_count();
	for (uint32_t i = 0; id && i < count; i++) {
		struct rec_thread *slot = slot_at(i);
		if (slot->id == id && atomic_load_explicit(&slot->state, memory_order_acquire) != THREAD_FREE)
			return slot;
	}
	return NULL;
}

void thread_joined(thread_id id, uint64_t pthread)
{
	const struct rec_thread *own = thread_slot();
	self.busy++;
	order_joined(own ? own->id : 0, id);
	self.busy--;
	struct rec_thread *slot = slot_of_id(id, pthread);
	if (!slot)
		return;
	atomic_fetch_or_explicit(&slot->flags, THREAD_JOINED, memory_order_seq_cst);
	/* A thread that could be joined is gone, also where its last destructor never ran. */
	atomic_store_explicit(&slot->state, THREAD_ENDED, memory_order_seq_cst);
	slot_settle(slot);
}

void thread_detached(uint64_t pthread)
{
	struct rec_thread *slot = slot_find(pthread);
	if (!slot)
		return;
	atomic_fetch_or_explicit(&slot->flags, THREAD_DETACHED, memory_order_seq_cst);
	slot_settle(slot);
}

void thread_cancelled(uint64_t pthread)
{
	struct rec_thread *slot = slot_find(pthread);
	if (slot)
		atomic_fetch_or_explicit(&slot->flags, THREAD_CANCELLED, memory_order_relaxed);
}

void thread_set_name(uint64_t pthread, const char *name)
{
	struct rec_thread *slot = slot_find(pthread);
	if (!slot)
		return;
	/* Perhaps another thread's slot: the bytes are set one by one and the NUL at the end is always there. */
	size_t i = 0;
	for (; i < REC_NAME_BYTES - 1 && name[i]; i++)
		__atomic_store_n(&slot->name[i], name[i], __ATOMIC_RELAXED);
	for (; i < REC_NAME_BYTES; i++)
		__atomic_store_n(&slot->name[i], '\0', __ATOMIC_RELAXED);
}

uint32_t thread_live_count(void)
{
	uint32_t live = 0;
	uint32_t count = slot_count();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t state = atomic_load_explicit(&slot_at(i)->state, memory_order_relaxed);
		live += state == THREAD_RUNNING || state == THREAD_STARTING;
	}
	return live;
}

/*
 * A lock that processes share stays with whoever took it, which is the parent's thread; its copy in
 * the child is another thread, and waits for it as anybody does. What a lock says of itself is read with
 * care, since what it lies in may be gone.
 */
static bool stays_with_parent(const struct rec_hold *hold)
{
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
	switch (hold->kind) {
	case KIND_MUTEX:
		return memory_copy(&mutex, hold->handle, sizeof mutex) && (mutex.__data.__kind & 0x80);
	case KIND_RWLOCK:
		return memory_copy(&rwlock, hold->handle, sizeof rwlock) && rwlock.__data.__shared;
	default:
		return hold->kind == KIND_FILE_LOCK; /* of an open file, which both have */
	}
}

void thread_fork_prepare(struct forking *ret_forking)
{
	const struct rec_thread *slot = self.slot;
	*ret_forking = (struct forking){ 0 };
	if (!slot)
		return;
	ret_forking->flags = slot->flags;
	ret_forking->hold_count = MIN_OF(slot->hold_count, FORKING_HOLDS);
	memcpy((void *)ret_forking->holds, (const void *)slot->holds,
	       ret_forking->hold_count * sizeof slot->holds[0]);
}

void thread_fork_child(const struct forking *before)
{
	generation++;
	free_hint = 0;
	slots.word = 0;
	tsd_fork_child();
	self.slot = NULL;
	self.ended = false;
	memset(self.signalled, 0, sizeof self.signalled);
	struct rec_thread *slot = thread_slot();
	if (!slot)
		return;
	/* Where its signals are handled is as before. */
	atomic_fetch_or_explicit(&slot->flags, before->flags & THREAD_STACK_SPLIT, memory_order_relaxed);
	thread_write_begin(slot);
	slot->wait_depth = 0;
	slot->hold_count = 0;
	for (uint32_t i = 0; i < before->hold_count; i++)
		if (!stays_with_parent(&before->holds[i]))
			memcpy((void *)&slot->holds[slot->hold_count++], (const void *)&before->holds[i],
			       sizeof slot->holds[0]);
	/* Stacks were left behind with the parent's recording. */
	for (uint32_t i = 0; i < slot->hold_count; i++) {
		slot->holds[i].stack = 0;
		slot->holds[i].name = 0;
		slot->holds[i].owner = slot->id;
	}
	thread_write_end(slot);
}
