/*
 * Two structures, both private but for what they count:
 *
 *   uses    an index from (stack, lock) to entries of REC_USES: buckets by a hash of the stack, chained
 *           through the entries. Looked up without a lock (entries never move and never leave, and
 *           one is whole before its bucket shows it), added to under one.
 *
 *   queues  the locks that somebody waits for right now: how many do, and the sum of the moments since which
 *           they wait. Whoever gives such a lock up at T has made its n waiters wait for n * T minus
 *           that sum; from then on each waits since T, and the sum is n * T. Who leaves takes its own moment
 *           out: when it began to wait, or the last change of hands if that was later. So a release with a
 *           thousand waiters costs what one with a single one does. A few queues share a short lock of ours.
 *
 * The numbers of one use are not a snapshot of one moment: each is right, one may be ahead of another.
 */
#include "registry/contention.h"

#include <string.h>

#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/cell_row.h"
#include "registry/hold.h"
#include "registry/recording.h"

uint32_t contention_waiters;

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
	atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static void raise_to(_Atomic uint64_t *counter, uint64_t value)
{
	uint64_t known = atomic_load_explicit(counter, memory_order_relaxed);
	while (value > known && !atomic_compare_exchange_weak_explicit(
				    counter, &known, value, memory_order_relaxed, memory_order_relaxed))
		;
}

/* -- uses -------------------------------------------------------------------- */

#define BUCKETS (1u << 15)

static struct lock uses_lock;
static uint32_t *buckets; /* use of the newest entry; 0: none */
static bool uses_full;

static struct rec_use *use_at(uint32_t use)
{
	return (struct rec_use *)recording_tables[REC_USES] + (use - 1);
}

static uint32_t *bucket_of(stack_id stack)
{
	uint32_t *all = __atomic_load_n(&buckets, __ATOMIC_ACQUIRE);
	return all ? &all[hash_mix(stack) % BUCKETS] : NULL;
}

/*
 * The use of that stack and lock, else the one that the stack's other locks share, else 0; `ret_locks` (may be NULL)
 * gets how many the stack has of its own.
 */
static uint32_t use_find(stack_id stack, uint64_t handle, uint32_t *ret_locks)
{
	const uint32_t *bucket = bucket_of(stack);
	uint32_t locks = 0, shared = 0;
	uint32_t at = bucket ? __atomic_load_n(bucket, __ATOMIC_ACQUIRE) : 0;
	for (; at; at = use_at(at)->next) {
		const struct rec_use *use = use_at(at);
		if (use->stack != stack)
			continue;
		if (use->handle == handle)
			return at;
		if (!use->handle)
			shared = at;
		locks++;
	}
	if (ret_locks)
		*ret_locks = locks;
	return shared;
}

static uint64_t own_bit(uint64_t handle)
{
	return UINT64_C(1) << hash_mix(handle) % 64;
}

static uint32_t use_make(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack)
{
	uint32_t locks = 0;
	if (!buckets) {
		uint32_t *made = sys_pages_lazy(BUCKETS * sizeof *buckets);
		__atomic_store_n(&buckets, made, __ATOMIC_RELEASE);
	}
	uint32_t known = buckets ? use_find(stack, handle, &locks) : 0;
	if (known || !buckets)
		return known;
	uint64_t offset = recording_append(REC_USES, sizeof(struct rec_use));
	if (offset == UINT64_MAX) {
		__atomic_store_n(&uses_full, true, __ATOMIC_RELAXED);
		return 0;
	}
	uint32_t made = (uint32_t)(offset / sizeof(struct rec_use)) + 1;
	struct rec_use *use = use_at(made);
	uint32_t *bucket = bucket_of(stack);
	use->handle = locks < CONTENTION_LOCKS_EACH ? handle : 0;
	use->stack = stack;
	use->next = *bucket;
	for (uint32_t at = use->handle ? 0 : use->next; at; at = use_at(at)->next)
		if (use_at(at)->stack == stack)
			use->own |= own_bit(use_at(at)->handle);
	use->kind = (uint8_t)kind;
	use->mode = (uint8_t)mode;
	/* Last: readers leave out what has no op. */
	__atomic_store_n(&use->op, (uint16_t)op, __ATOMIC_RELEASE);
	__atomic_store_n(bucket, made, __ATOMIC_RELEASE);
	return made;
}

/* The same, made if there is none; 0: there is no room. */
static uint32_t use_get(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack)
{
	uint32_t use = use_find(stack, handle, NULL);
	if (LIKELY(use))
		return use;
	/* Once there is no room there is none for ever: no reason to wait for one another. */
	if (__atomic_load_n(&uses_full, __ATOMIC_RELAXED)) {
		recording_lost(REC_USES);
		return 0;
	}
	if (!recording || !lock_take(&uses_lock))
		return 0;
	use = use_make(kind, handle, mode, op, stack);
	lock_release(&uses_lock);
	return use;
}

/* -- cells ------------------------------------------------------------------- */

/* A thread that has taken this many locks is worth cells of its own. */
#define SETTLED 64u

static void want_cells(void)
{
	struct rec_use_cells *all = recording_tables[REC_USE_CELLS], *found = NULL;
	uint64_t there =
	    atomic_load_explicit(&recording->tables[REC_USE_CELLS].used, memory_order_acquire) / sizeof *all;
	for (uint64_t i = 0; i <= there && !found; i++) {
		uint64_t at = i;
		/* None is free: a new one, which another thread that looks for a free one may be quicker to take. */
		if (i == there) {
			at = recording_append(REC_USE_CELLS, sizeof *all) / sizeof *all;
			if (at == UINT64_MAX / sizeof *all)
				break;
		}
		uint32_t free = 0;
		if (atomic_compare_exchange_strong_explicit(&all[at].owned, &free, 1, memory_order_acq_rel,
							    memory_order_relaxed))
			found = &all[at];
	}
	if (found)
		found->owner = self.slot->id;
	self.use_mask = REC_USE_CELLS_EACH - 1;
	self.use_cells = found;
}

/*
 * Moves what the cell counts to its use, and gives the cell to another. Meanwhile it belongs to none: a reader, or
 * one that comes after a SIGKILL right here, may miss what is being moved and never sees it twice.
 */
static void cell_move(struct rec_use_cell *cell, uint32_t next, stack_id stack, uint64_t handle)
{
	uint32_t use = atomic_load_explicit(&cell->use, memory_order_relaxed);
	atomic_store_explicit(&cell->use, 0, memory_order_release);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	uint64_t taken = atomic_load_explicit(&cell->taken, memory_order_relaxed);
	atomic_store_explicit(&cell->taken, 0, memory_order_release);
	if (use && taken)
		add(&use_at(use)->taken, taken);
	cell->stack = stack;
	cell->handle = handle;
	atomic_store_explicit(&cell->use, next, memory_order_release);
}

/* As in count.c; but to look a use up costs more than to move a counter, so the row comes sooner. */
#define MOVED_MOST 1024u

static void give_cells(struct rec_use_cells *cells, uint32_t count)
{
	for (; count; count--, cells++) {
		for (uint32_t i = 0; i < REC_USE_CELLS_EACH; i++)
			cell_move(&cells->cells[i], 0, 0, 0);
		cells->owner = 0;
		atomic_store_explicit(&cells->owned, 0, memory_order_release);
	}
}

static uint32_t blocks_owned(void)
{
	return (self.use_mask + 1) / REC_USE_CELLS_EACH;
}

static NOINLINE void want_more_cells(void)
{
	if (blocks_owned() != 1)
		return;
	struct rec_use_cells *one = self.use_cells, *row = cell_row_take(REC_USE_CELLS, sizeof *row);
	if (!row)
		return;
	self.use_cells = row;
	self.use_mask = CELL_ROW * REC_USE_CELLS_EACH - 1;
	give_cells(one, 1);
}

NOINLINE void contention_otherwise(enum kind kind, uint64_t handle, enum mode mode, enum op op,
				   stack_id stack)
{
	if (!self.use_cells && self.slot && ++self.taken_uncounted % SETTLED == 0)
		want_cells();
	struct rec_use_cells *cells = self.use_cells;
	/* One of many locks that are taken from there, and of those without a use of its own. */
	struct rec_use_cell *cell = cells ? contention_cell(cells, stack, 0) : NULL;
	uint32_t use = cell ? atomic_load_explicit(&cell->use, memory_order_relaxed) : 0;
	if (use && !cell->handle && cell->stack == stack && !(use_at(use)->own & own_bit(handle))) {
		add(&cell->taken, 1);
		return;
	}
	use = use_get(kind, handle, mode, op, stack);
	if (!use)
		return;
	if (cells) {
		if (UNLIKELY(++self.use_cells_moved % MOVED_MOST == 0)) {
			want_more_cells();
			cells = self.use_cells;
		}
		handle = use_at(use)->handle;
		cell = contention_cell(cells, stack, handle);
		cell_move(cell, use, stack, handle);
		atomic_store_explicit(&cell->taken, 1, memory_order_relaxed);
	} else {
		add(&use_at(use)->taken, 1);
	}
}

void contention_thread_end(void)
{
	struct rec_use_cells *cells = self.use_cells;
	if (!cells)
		return;
	self.use_cells = NULL;
	give_cells(cells, blocks_owned());
}

/* -- queues ------------------------------------------------------------------ */

#define QUEUE_GROUPS 256u
#define QUEUES_EACH 4u

struct queue {
	uint64_t handle;
	uint32_t count; /* that wait; 0: the queue is free */
	nsec_t sum;     /* of the moments since which they wait; wraps around */
	nsec_t first;   /* when the queue began */
	nsec_t last;    /* when the lock last changed hands; 0: not since then */
};

static struct queue_group {
	_Alignas(64) struct lock lock;
	struct queue queues[QUEUES_EACH];
} groups[QUEUE_GROUPS];

static struct queue_group *group_of(uint64_t handle)
{
	return &groups[hash_mix(handle >> 3) % QUEUE_GROUPS];
}

static struct queue *queue_find(struct queue_group *group, uint64_t handle)
{
	for (struct queue *queue = group->queues; queue < group->queues + QUEUES_EACH; queue++)
		if (queue->count && queue->handle == handle)
			return queue;
	return NULL;
}

/* Return: whether the caller is in the queue now. */
static bool queue_join(uint64_t handle, nsec_t now)
{
	struct queue_group *group = group_of(handle);
	if (!lock_try(&group->lock))
		return false;
	struct queue *queue = queue_find(group, handle);
	for (unsigned i = 0; !queue && i < QUEUES_EACH; i++)
		if (!group->queues[i].count) {
			queue = &group->queues[i];
			*queue = (struct queue){ .handle = handle, .first = now };
		}
	if (queue) {
		queue->count++;
		queue->sum += now;
	}
	lock_release(&group->lock);
	if (queue)
		__atomic_fetch_add(&contention_waiters, 1, __ATOMIC_RELAXED);
	return queue != NULL;
}

/*
 * One that has waited since `asked` leaves. `owner`: the lock is its own now, and nobody else's: the others wait for it
 * since `now`, and what they have waited while nobody had it is nobody's doing.
 */
static void queue_leave(uint64_t handle, nsec_t asked, nsec_t now, bool owner)
{
	struct queue_group *group = group_of(handle);
	__atomic_fetch_sub(&contention_waiters, 1, __ATOMIC_RELAXED);
	if (!lock_take(&group->lock))
		return;
	struct queue *queue = queue_find(group, handle);
	if (queue) {
		queue->count--;
		queue->sum -= MAX_OF(asked, queue->last);
		if (owner && queue->last) {
			queue->sum = queue->count * now;
			queue->last = now;
		}
	}
	lock_release(&group->lock);
}

/* The lock changes hands. Return: how long its waiters have waited since it last did; `ret_first`: the queue's beginning. */
static nsec_t queue_charge(uint64_t handle, nsec_t now, nsec_t *ret_first)
{
	struct queue_group *group = group_of(handle);
	nsec_t charge = 0;
	if (!lock_try(&group->lock))
		return 0;
	struct queue *queue = queue_find(group, handle);
	if (queue) {
		charge = queue->count * now - queue->sum;
		/* The clock is read before the lock is ours: one that has joined meanwhile is ahead of it. */
		charge = (int64_t)charge > 0 ? charge : 0;
		*ret_first = MAX_OF(queue->first, queue->last);
		queue->sum += charge;
		queue->last = MAX_OF(queue->last, now);
	}
	lock_release(&group->lock);
	return charge;
}

/* -- what hooks and the registry tell ------------------------------------------ */

nsec_t contention_wait(struct contended *wait, enum kind kind, uint64_t handle, enum mode mode, enum op op,
		       stack_id stack)
{
	nsec_t now = sys_monotonic();
	/* The caller's own: a recursive lock, which does not wait, or one that would wait for itself. */
	if (hold_own(kind, handle)) {
		wait->asked = 0;
		return now;
	}
	*wait = (struct contended){ .handle = handle,
				    .asked = now,
				    .stack = stack,
				    .kind = (uint8_t)kind,
				    .mode = (uint8_t)mode,
				    .op = (uint16_t)op };
	self.busy++;
	wait->queued = queue_join(handle, now);
	self.busy--;
	return now;
}

void contention_over(struct contended *wait, bool taken)
{
	if (!wait->asked)
		return;
	nsec_t now = sys_monotonic(), waited = now - wait->asked;
	self.busy++;
	if (wait->queued)
		queue_leave(wait->handle, wait->asked, now, taken && wait->mode == MODE_EXCLUSIVE);
	uint32_t number = use_get(wait->kind, wait->handle, wait->mode, wait->op, wait->stack);
	if (number) {
		struct rec_use *use = use_at(number);
		add(&use->waits, 1);
		add(&use->waited, waited);
		raise_to(&use->waited_most, waited);
	}
	struct rec_hold *hold = taken ? (struct rec_hold *)hold_own(wait->kind, wait->handle) : NULL;
	if (hold && hold->count == 1) {
		__atomic_store_n(&hold->since, now, __ATOMIC_RELAXED);
		hold->timed = true;
	}
	wait->asked = 0;
	self.busy--;
}

void contention_left(struct contended *wait)
{
	if (!wait->asked)
		return;
	self.busy++;
	if (wait->queued)
		queue_leave(wait->handle, wait->asked, sys_monotonic(), false);
	wait->asked = 0;
	self.busy--;
}

void contention_released(struct rec_hold *hold)
{
	bool wanted = contention_anywhere();
	if (!hold->timed && !wanted)
		return;
	nsec_t now = sys_monotonic(), first = now;
	nsec_t charge = wanted ? queue_charge(hold->handle, now, &first) : 0;
	uint32_t number = hold->timed || charge ? use_find(hold->stack, hold->handle, NULL) : 0;
	if (!number)
		return;
	struct rec_use *use = use_at(number);
	if (charge) {
		add(&use->made_wait, charge);
		add(&use->made_wait_times, 1);
	}
	/* Of one that is not timed this much is certain: it was held while the first of them waited. */
	nsec_t since = hold->timed ? hold->since : first;
	nsec_t held = now > since ? now - since : 0;
	if (hold->timed)
		add(&use->held, held);
	raise_to(&use->held_most, held);
	hold->timed = false;
}

/* -- the reporter thread ------------------------------------------------------- */

static void sample(const struct rec_hold *hold, nsec_t now, nsec_t span)
{
	/* Its thread may be writing it: what does not fit together has no use, or is one of its own that was held just now. */
	uint64_t handle = __atomic_load_n(&hold->handle, __ATOMIC_RELAXED);
	stack_id stack = __atomic_load_n(&hold->stack, __ATOMIC_RELAXED);
	nsec_t since = __atomic_load_n(&hold->since, __ATOMIC_RELAXED);
	if (atomic_load_explicit(&hold->state_word, memory_order_relaxed) != HOLD_LIVE)
		return;
	uint32_t number = use_find(stack, handle, NULL);
	if (!number)
		return;
	struct rec_use *use = use_at(number);
	add(&use->held, span);
	/* `since` is the tick before it was taken. */
	if (since && now > since + span)
		raise_to(&use->held_most, now - since - span);
}

void contention_sample(nsec_t now, nsec_t span)
{
	const struct view *view = recording_view();
	uint32_t slots = bucket_of(0) ? view_thread_slots(view) : 0;
	for (uint32_t i = 0; i < slots; i++) {
		const struct rec_thread *slot = view_thread(view, i);
		uint32_t holds = atomic_load_explicit(&slot->word, memory_order_acquire) & 0xffff;
		if (atomic_load_explicit(&slot->state, memory_order_relaxed) != THREAD_RUNNING)
			continue;
		for (uint32_t h = 0; h < MIN_OF(holds, REC_SLOT_HOLDS); h++)
			sample(&slot->holds[h], now, span);
	}
}

void contention_fork_child(void)
{
	self.use_cells = NULL;
	if (buckets)
		sys_pages_free(buckets, BUCKETS * sizeof *buckets);
	buckets = NULL;
	uses_full = false;
	uses_lock.word = 0;
	memset(groups, 0, sizeof groups);
	contention_waiters = 0;
}
