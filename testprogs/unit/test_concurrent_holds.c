/* What threads hold and wait for: slots that are read while they are written, and what all of them count and find there. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "platform/sys.h"
#include "registry/acquire.h"
#include "registry/contention.h"
#include "registry/hold.h"
#include "registry/misuse.h"
#include "registry/release.h"
#include "registry/signalled.h"
#include "registry/snapshot.h"
#include "registry/wait.h"

#include "testprogs/unit/hammer.h"

/* -- slots ------------------------------------------------------------------------- */

/* All of a hold or a wait follows from its handle, so that halves of two show. */
static stack_id stack_for(uint64_t handle)
{
	return (stack_id)(handle * 2654435761u);
}

static bool lock_quickly(struct rec_thread *slot, uint64_t handle)
{
	if (!acquire_wait(slot, KIND_MUTEX, handle, MODE_EXCLUSIVE, OP_pthread_mutex_lock, stack_for(handle),
			  (const void *)(uintptr_t)(handle * 16), 1))
		return false;
	maybe_yield(8);
	return acquire_hold(slot, KIND_MUTEX, handle, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
			    stack_for(handle), 0);
}

/* Locks up to four at a time, by the quick way and by the general one, and gives them back in any order. */
static void take_locks(unsigned number)
{
	struct rec_thread *slot = thread_slot();
	uint64_t held[4], next = (number + 1) * UINT64_C(1000000);
	unsigned count = 0;
	while (!stop) {
		if (count < 4 && random_below(2)) {
			uint64_t handle = ++next;
			if (random_below(4)) {
				if (!lock_quickly(slot, handle))
					wrong++;
			} else {
				struct wait_for what = { .kind = KIND_MUTEX,
							 .handle = handle,
							 .mode = MODE_EXCLUSIVE,
							 .op = OP_pthread_mutex_lock,
							 .stack = stack_for(handle),
							 .frame = (const void *)(uintptr_t)(handle * 16) };
				wait_begin(&what);
				maybe_yield(8);
				hold_begin(KIND_MUTEX, handle, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
					   stack_for(handle));
				wait_end();
			}
			held[count++] = handle;
		} else if (count) {
			unsigned which = random_below(3) ? count - 1 : random_below(count);
			enum mode mode;
			if (!acquire_end(slot, KIND_MUTEX, held[which]) &&
			    hold_end(KIND_MUTEX, held[which], &mode) != HOLD_END_OWN)
				wrong++;
			held[which] = held[--count];
		}
		maybe_yield(50);
	}
	while (count) {
		enum mode mode;
		hold_end(KIND_MUTEX, held[--count], &mode);
	}
}

/* What a reader sees of a slot that is written all the while is a state that it had. */
START_TEST(slots_are_seen_whole)
{
	struct worker workers[THREADS];
	struct arena arena = { .more = sys_pages, .less = sys_pages_free };
	unsigned whole = 0, with_holds = 0, waiting = 0;
	start(workers, THREADS, take_locks);
	/* However seldom this thread gets to look while another is in the midst of something. */
	for (unsigned look = 0; look < 40000 || whole <= 1000 || with_holds <= 100 || !waiting; look++) {
		struct snapshot snapshot;
		snapshot_take(recording_view(), 1, &arena, &snapshot);
		for (uint32_t i = 0; i < snapshot.thread_count; i++) {
			const struct snap_thread *thread = &snapshot.threads[i];
			if (thread->torn)
				continue;
			whole++;
			with_holds += thread->hold_count > 0;
			waiting += thread->waiting;
			uint64_t mine = 0;
			for (uint32_t k = 0; k < thread->hold_count; k++) {
				const struct rec_hold *hold = &thread->holds[k];
				mine = mine ? mine : hold->handle / 1000000;
				if (hold->stack != stack_for(hold->handle) || hold->kind != KIND_MUTEX ||
				    hold->count != 1 || hold->owner != thread->id ||
				    hold->handle / 1000000 != mine)
					wrong++;
				for (uint32_t other = 0; other < k; other++)
					if (thread->holds[other].handle == hold->handle)
						wrong++;
			}
			const struct rec_wait *wait = &thread->wait;
			if (thread->waiting &&
			    (wait->stack != stack_for(wait->handle) || wait->sp != wait->handle * 16 ||
			     wait->kind != KIND_MUTEX || (mine && wait->handle / 1000000 != mine)))
				wrong++;
		}
		arena_release(&arena);
	}
	stop = true;
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* -- misuse ---------------------------------------------------------------------- */

#define MISUSE_ROUNDS 50u
static _Atomic uint32_t misuses_made;

static void note_misuses(unsigned number)
{
	for (unsigned round = 0; round < MISUSE_ROUNDS; round++)
		for (unsigned i = 0; i < MISUSES_MOST; i++) {
			struct rec_misuse what = { .kind = MISUSE_not_owner_unlock, .handle = number };
			what.parts[0].stack = (i ^ (number & 3)) + 1;
			maybe_yield(200);
			if (misuse_note(&what))
				misuses_made++;
		}
}

/* One entry for each, whoever is first, and none of the others is forgotten. */
START_TEST(misuses_are_counted_once)
{
	struct worker workers[THREADS];
	misuses_made = 0;
	start(workers, THREADS, note_misuses);
	join(workers, THREADS);
	ck_assert_uint_eq(misuses_made, MISUSES_MOST);
	ck_assert_uint_eq(recording->misuse_news, MISUSES_MOST);
	bool seen[MISUSES_MOST + 1] = { false };
	const struct rec_misuse *entry;
	for (uint32_t i = 0; (entry = view_misuse(recording_view(), i)); i++) {
		ck_assert_uint_eq(entry->count, THREADS * MISUSE_ROUNDS);
		ck_assert_uint_le(entry->parts[0].stack, MISUSES_MOST);
		ck_assert(!seen[entry->parts[0].stack]);
		seen[entry->parts[0].stack] = true;
	}
	/* There is room for no more: that is counted. */
	struct rec_misuse more = { .kind = MISUSE_not_owner_unlock };
	ck_assert(!misuse_note(&more));
	ck_assert_uint_eq(recording->tables[REC_MISUSES].lost, 1);
}
END_TEST

/* -- who has signalled ------------------------------------------------------------ */

#define SIGNALLED 40u /* objects; they fall on few places, so that some have to go */

static uint64_t signalled_handle(unsigned which)
{
	return UINT64_C(0x10000000) + (uint64_t)(which % 4) * 8 +
	       (uint64_t)(which / 4) * (REC_SIGNALS_MOST * 8);
}

/* Half of the threads signal, the others look: of one entry all belongs together. */
static void signal_or_look(unsigned number)
{
	thread_id own = thread_slot()->id;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t handle = signalled_handle(random_below(SIGNALLED));
		struct rec_signal seen;
		if (number % 2) {
			if (i % 512 == 0)
				signalled_forget(handle);
			signalled_note(KIND_COND, handle, OP_pthread_cond_signal, stack_for(handle ^ own));
		} else if (view_signal(recording_view(), KIND_COND, handle, &seen)) {
			if (seen.object != rec_signal_object(KIND_COND, handle) ||
			    seen.stack != stack_for(handle ^ seen.thread) || !seen.count ||
			    seen.op != OP_pthread_cond_signal)
				wrong++;
		}
		maybe_yield(16);
	}
}

START_TEST(signals_are_seen_whole)
{
	struct worker workers[THREADS];
	start(workers, THREADS, signal_or_look);
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
	unsigned known = 0;
	for (unsigned i = 0; i < SIGNALLED; i++) {
		struct rec_signal seen;
		if (!view_signal(recording_view(), KIND_COND, signalled_handle(i), &seen))
			continue;
		known++;
		signalled_forget(signalled_handle(i));
		ck_assert(!view_signal(recording_view(), KIND_COND, signalled_handle(i), &seen));
	}
	ck_assert_uint_ge(known, REC_SIGNALS_NEAR);

	/* The newest of those that share their places stay, with their counts; a thread's end shows. */
	struct rec_signal seen;
	for (unsigned i = 0; i < 3; i++)
		signalled_note(KIND_SEM, 0x20000000, OP_sem_post, 7);
	ck_assert(view_signal(recording_view(), KIND_SEM, 0x20000000, &seen));
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_uint_eq(seen.ended, 0);
	ck_assert(!view_signal(recording_view(), KIND_COND, 0x20000000, &seen));
	signalled_thread_end();
	ck_assert(view_signal(recording_view(), KIND_SEM, 0x20000000, &seen));
	ck_assert_uint_ne(seen.ended, 0);
}
END_TEST

/* -- resources ------------------------------------------------------------------- */

#define CONTAINERS 3u
#define ITERATORS 50u
#define RESOURCE_ROUNDS 400u

/* Handles are each thread's own; containers are everybody's. */
static void open_and_close(unsigned number)
{
	bool open[ITERATORS] = { false };
	for (unsigned round = 0; round < RESOURCE_ROUNDS * ITERATORS; round++) {
		unsigned i = random_below(ITERATORS);
		uint64_t handle = 0x1000 * (number + 1) + i, container = 0x100 + i % CONTAINERS;
		struct resource what = { .kind = KIND_ITERATOR, .handle = handle, .container = container };
		struct rec_hold found;
		maybe_yield(100);
		if (resource_find(&what, &found) != open[i])
			wrong++;
		if (open[i])
			wrong += !release_begin(&what);
		else
			resource_acquired(&what);
		open[i] = !open[i];
		wrong += open[i] && !resource_may_be_of(container);
		struct rec_hold holds[8];
		uint32_t count = resource_find_of(container, holds, 8);
		for (uint32_t at = 0; at < count; at++)
			wrong += holds[at].container != container;
	}
	for (unsigned i = 0; i < ITERATORS; i++)
		if (open[i])
			resource_end(KIND_ITERATOR, 0x1000 * (number + 1) + i);
}

START_TEST(resources_are_found_by_what_they_are_of)
{
	struct worker workers[THREADS];
	wrong = 0;
	start(workers, THREADS, open_and_close);
	join(workers, THREADS);
	ck_assert_uint_eq(wrong, 0);
	struct rec_hold left;
	for (unsigned i = 0; i < CONTAINERS; i++) {
		ck_assert(!resource_may_be_of(0x100 + i));
		ck_assert_uint_eq(resource_find_of(0x100 + i, &left, 1), 0);
	}
	/* What was closed was open: no release was one of nothing. */
	const struct rec_misuse *entry;
	for (uint32_t i = 0; (entry = view_misuse(recording_view(), i)); i++)
		ck_assert_uint_ne(entry->kind, MISUSE_released_twice);
}
END_TEST

START_TEST(two_sorts_may_use_one_handle)
{
	struct resource socket = { .kind = KIND_RESOURCE, .sort = 5, .handle = 3 };
	struct resource place = { .kind = KIND_RESOURCE, .sort = 6, .handle = 3 };
	struct rec_hold was;
	resource_acquired(&socket);
	ck_assert(!resource_find(&place, &was));
	resource_acquired(&place);
	ck_assert(resource_released(&socket, &was));
	ck_assert_uint_eq(was.sort, 5);
	ck_assert_uint_eq(was.handle, 3);
	ck_assert(!resource_find(&socket, &was));
	ck_assert(resource_find(&place, &was));
	resource_acquired(&place);
	ck_assert(resource_released(&place, &was));
	ck_assert_uint_eq(was.flags, HOLD_AGAIN);
	ck_assert(!resource_released(&place, NULL));
}
END_TEST

/* -- how locks are used ---------------------------------------------------------- */

#define USED_LOCKS 3u
#define USED_STACKS 300u /* more than there are cells */
#define USED_ROUNDS 5000u

/* Spin locks of the test's own: taken as hooks tell it, by calls that wait and by calls that find it free. */
static uint32_t used_locks[USED_LOCKS][16];

static uint64_t used_handle(uint32_t which)
{
	return (uintptr_t)used_locks[which];
}

static bool used_take(uint32_t which)
{
	uint32_t none = 0;
	return __atomic_compare_exchange_n(used_locks[which], &none, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void use_locks(unsigned number)
{
	(void)number;
	for (unsigned round = 0; round < USED_ROUNDS; round++) {
		uint32_t which = random_below(USED_LOCKS);
		stack_id stack = 8 * (1 + random_below(USED_STACKS));
		struct contended wait = { 0 };
		if (!used_take(which)) {
			contention_wait(&wait, KIND_SPIN, used_handle(which), MODE_EXCLUSIVE,
					OP_pthread_spin_lock, stack);
			while (!used_take(which))
				sched_yield();
		}
		hold_begin(KIND_SPIN, used_handle(which), MODE_EXCLUSIVE, OP_pthread_spin_lock, stack);
		contention_over(&wait, true);
		maybe_yield(20);
		hold_end(KIND_SPIN, used_handle(which), NULL);
		__atomic_store_n(used_locks[which], 0, __ATOMIC_RELEASE);
		/* Some wait in vain. */
		if (!random_below(50)) {
			contention_wait(&wait, KIND_SPIN, used_handle(which), MODE_EXCLUSIVE,
					OP_pthread_spin_lock, stack);
			contention_left(&wait);
		}
	}
}

/* Nothing is lost of what threads take, whoever is first; they make wait no longer than is waited, and then nobody waits. */
START_TEST(uses_are_counted)
{
	struct worker workers[THREADS];
	uint32_t before = view_uses(recording_view()); /* of the tests before */
	start(workers, THREADS, use_locks);
	while (view_uses(recording_view()) == before)
		sched_yield();
	contention_sample(sys_monotonic(), 1);
	join(workers, THREADS);
	ck_assert(!contention_anywhere());
	uint64_t taken = 0, waited = 0, made_wait = 0, waits = 0;
	uint32_t twice = 0;
	uint32_t last = view_uses(recording_view());
	uint64_t *in_cells = calloc(last + 1, sizeof *in_cells);
	view_uses_in_cells(recording_view(), in_cells, last);
	for (uint32_t i = before + 1; i <= last; i++) {
		const struct rec_use *use = view_use(recording_view(), i);
		ck_assert_ptr_nonnull(use);
		ck_assert_uint_eq(in_cells[i], 0); /* the threads have ended */
		taken += use->taken;
		waits += use->waits;
		waited += use->waited;
		made_wait += use->made_wait;
		for (uint32_t j = 1; j < i; j++) {
			const struct rec_use *other = view_use(recording_view(), j);
			twice += other->stack == use->stack && other->handle == use->handle;
		}
	}
	ck_assert_uint_eq(twice, 0);
	ck_assert_uint_eq(taken, (uint64_t)THREADS * USED_ROUNDS);
	ck_assert_uint_eq(last - before, USED_LOCKS * USED_STACKS);
	ck_assert_uint_gt(waits, 0);
	/* Sums of moments are right to the time between two readings of the clock each, on the average; a wrong sum is years off. */
	ck_assert_uint_le(made_wait, waited + waits * NSEC_PER_SEC);
	free(in_cells);
}
END_TEST

/* Of the locks that one place takes some are told one by one, the others together. */
START_TEST(many_locks_of_a_place)
{
	uint32_t before = view_uses(recording_view());
	stack_id stack = 8 * (USED_STACKS + 1);
	thread_slot();
	for (unsigned round = 0; round < 100; round++)
		for (uint64_t lock = 1; lock <= 1000; lock++) {
			hold_begin(KIND_MUTEX, lock * 64, MODE_EXCLUSIVE, OP_pthread_mutex_lock, stack);
			hold_end(KIND_MUTEX, lock * 64, NULL);
		}
	uint32_t last = view_uses(recording_view());
	ck_assert_uint_eq(last - before, CONTENTION_LOCKS_EACH + 1);
	uint64_t *taken = calloc(last + 1, sizeof *taken);
	view_uses_in_cells(recording_view(), taken, last);
	for (uint32_t i = before + 1; i <= last; i++) {
		const struct rec_use *use = view_use(recording_view(), i);
		uint64_t locks = use->handle ? 1 : 1000 - CONTENTION_LOCKS_EACH;
		ck_assert_uint_eq(taken[i] + use->taken, locks * 100);
	}
	free(taken);
}
END_TEST

static void add_tests(TCase *tcase)
{
	/* Before the next, which takes locks from so many places that the table of uses is full. */
	tcase_add_test(tcase, uses_are_counted);
	tcase_add_test(tcase, many_locks_of_a_place);
	tcase_add_test(tcase, slots_are_seen_whole);
	tcase_add_test(tcase, resources_are_found_by_what_they_are_of);
	tcase_add_test(tcase, two_sorts_may_use_one_handle);
	tcase_add_test(tcase, misuses_are_counted_once);
	tcase_add_test(tcase, signals_are_seen_whole);
}

int main(void)
{
	return hammer_run("what threads hold", add_tests);
}
