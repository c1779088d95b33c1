#include <check.h>

#include "world.h"

#define A 0xa00
#define B 0xb00
#define C 0xc00

static struct world *world;

static void setup(void)
{
	world = world_make();
}

static void teardown(void)
{
	world_free(world);
}

static void make_threads(struct snap_thread **threads, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		threads[i] = world_thread(world);
}

/* Each of `count` threads holds a mutex and waits for the next one's. */
static void make_ring(struct snap_thread **threads, unsigned count)
{
	make_threads(threads, count);
	for (unsigned i = 0; i < count; i++) {
		world_mutex(world, threads[i], A + i, 5 * SEC);
		world_wants(world, threads[i], A + (i + 1) % count, (4 - i % 4) * SEC);
	}
}

static void expect_none(void)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_deadlock), 0);
}

static const struct finding *expect_cycle(unsigned length)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_deadlock), 1);
	const struct finding *finding = world_found(world, FINDING_deadlock);
	ck_assert_uint_eq(finding->count, length);
	ck_assert(finding->flags & FOUND_CYCLE);
	ck_assert_int_eq(finding->severity, SEVERITY_ERROR);
	return finding;
}

START_TEST(nothing_of_nothing)
{
	ck_assert_uint_eq(world_look(world), 0);
	ck_assert(!world->found.incomplete);
}
END_TEST

START_TEST(two_locks_crossed)
{
	struct snap_thread *t[2];
	make_ring(t, 2);
	const struct finding *finding = expect_cycle(2);
	ck_assert_uint_eq(finding->item_count, 4);
	ck_assert_uint_eq(finding->thread, t[0]->id);
	for (unsigned i = 0; i < 2; i++) {
		const struct finding_item *waits = item_of(finding, ROLE_waits, t[i], 0);
		const struct finding_item *acquired = item_of(finding, ROLE_acquired, t[i], 0);
		ck_assert_ptr_nonnull(waits);
		ck_assert_ptr_nonnull(acquired);
		ck_assert_uint_eq(waits->handle, A + !i);
		ck_assert_uint_eq(waits->other, t[!i]->id);
		ck_assert_uint_eq(waits->stack, t[i]->wait.stack);
		ck_assert(waits->flags & ITEM_SUBJECT);
		ck_assert_uint_eq(acquired->handle, A + i);
		ck_assert_uint_eq(acquired->stack, t[i]->holds[0].stack);
		ck_assert(!(acquired->flags & ITEM_SUBJECT));
		ck_assert_uint_eq(acquired->object_kind, KIND_MUTEX);
	}
	/* It began when the last of them began to wait. */
	ck_assert_uint_eq(finding->since, t[1]->wait.since);
	/* Blocked for long or not, with locks or not: it is told once. */
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

START_TEST(rings_of_any_length)
{
	static const unsigned lengths[] = { 3, 5, 17, 1000 };
	struct snap_thread **t = calloc(WORLD_THREADS, sizeof(*t));
	unsigned length = lengths[_i];
	make_ring(t, length);
	const struct finding *finding = expect_cycle(length);
	ck_assert_uint_eq(finding->item_count, MIN_OF(2 * length, FINDING_MAX_ITEMS));
	ck_assert_uint_eq(finding->items[0].thread, 1);
	for (unsigned i = 0; i + 2 < finding->item_count; i += 2)
		ck_assert_uint_eq(finding->items[i].other, finding->items[i + 2].thread);
	/* The ring closed when the last of them began to wait, wherever it stands in it. */
	ck_assert_uint_eq(finding->since, world->snapshot.now - (length > 3 ? 1 : 2) * SEC);
	free(t);
}
END_TEST

START_TEST(broken_ring)
{
	struct snap_thread *t[5];
	make_ring(t, 5);
	t[3]->waiting = false;
	expect_none();
}
END_TEST

START_TEST(itself)
{
	struct snap_thread *t = world_thread(world);
	world_mutex(world, t, A, 2 * SEC);
	world_wants(world, t, A, 1 * SEC);
	const struct finding *finding = expect_cycle(1);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, t, 0)->other, t->id);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, t, 0)->handle, A);
}
END_TEST

START_TEST(recursive_relock)
{
	struct snap_thread *t = world_thread(world);
	world_mutex(world, t, A, 2 * SEC);
	world_wants(world, t, A, 0);
	world_object(world, KIND_MUTEX, A, _i ? OBJECT_RECURSIVE : OBJECT_ERRORCHECK);
	expect_none();
}
END_TEST

START_TEST(recursive_relock_again)
{
	/* Initialised statically, so nothing is known of it but that it was taken twice. */
	struct snap_thread *t = world_thread(world);
	world_mutex(world, t, A, 2 * SEC)->count = 2;
	world_wants(world, t, A, 0);
	expect_none();
}
END_TEST

START_TEST(attributes_of_another_kind)
{
	/* A recursive mutex lay at the same address as the rwlock that is there now. */
	struct snap_thread *t = world_thread(world);
	world_hold(world, t, KIND_RWLOCK, A, MODE_SHARED, 2 * SEC);
	world_wait(world, t, KIND_RWLOCK, A, MODE_EXCLUSIVE, 1 * SEC);
	world_object(world, KIND_MUTEX, A, OBJECT_RECURSIVE);
	expect_cycle(1);
}
END_TEST

START_TEST(read_again)
{
	struct snap_thread *t = world_thread(world);
	world_hold(world, t, KIND_RWLOCK, A, MODE_SHARED, 2 * SEC);
	world_wait(world, t, KIND_RWLOCK, A, MODE_SHARED, 0);
	expect_none();
}
END_TEST

START_TEST(same_address_another_kind)
{
	struct snap_thread *t[2];
	make_ring(t, 2);
	t[1]->wait.kind = KIND_RWLOCK;
	expect_none();
}
END_TEST

START_TEST(timed_wait_is_no_deadlock)
{
	struct snap_thread *t[3];
	make_ring(t, 3);
	t[_i]->wait.timed = 1;
	expect_none();
}
END_TEST

START_TEST(parked_mutex_is_not_held)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_cond(world, t[0], A, 5 * SEC);
	world_wants(world, t[1], A, 1 * SEC);
	expect_none();
}
END_TEST

START_TEST(condition_needs_its_mutex_back)
{
	/* 1 holds B and waits for a signal; whoever sends it, 2 keeps the mutex A and waits for B. */
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_mutex(world, t[0], B, 5 * SEC);
	world_cond(world, t[0], A, 5 * SEC)->timed = (uint8_t)_i;
	world_mutex(world, t[1], A, 4 * SEC);
	world_wants(world, t[1], B, 3 * SEC);
	const struct finding *finding = expect_cycle(2);
	const struct finding_item *waits = item_of(finding, ROLE_waits, t[0], 0);
	ck_assert_uint_eq(waits->handle, A);
	ck_assert_uint_eq(waits->object_kind, KIND_MUTEX);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, t[1], 0)->handle, A);
	/* Those who wait for either of the two. */
	struct snap_thread *more[2];
	make_threads(more, 2);
	world_wants(world, more[0], A, 1 * SEC);
	world_wants(world, more[1], B, 1 * SEC);
	finding = expect_cycle(2);
	ck_assert_ptr_nonnull(item_of(finding, ROLE_waits, more[0], 0));
	ck_assert_ptr_nonnull(item_of(finding, ROLE_waits, more[1], 0));
}
END_TEST

START_TEST(two_upgrades)
{
	/* Two readers that both want to write: each waits for the other, and for itself. */
	struct snap_thread *t[2];
	make_threads(t, 2);
	for (int i = 0; i < 2; i++) {
		world_hold(world, t[i], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
		world_wait(world, t[i], KIND_RWLOCK, A, MODE_EXCLUSIVE, (nsec_t)(4 - i) * SEC);
	}
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_deadlock), 1);
	const struct finding *finding = world_found(world, FINDING_deadlock);
	ck_assert_uint_eq(finding->count, 1); /* the first of them could not have gone on alone either */
	ck_assert_uint_eq(items_of(finding, ROLE_waits), 2);
}
END_TEST

START_TEST(reader_and_writer)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_wants(world, t[0], B, 4 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, A, MODE_EXCLUSIVE, 3 * SEC);
	expect_cycle(2);
}
END_TEST

START_TEST(readers_do_not_wait_for_readers)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_wants(world, t[0], B, 4 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 0);
	expect_none();
}
END_TEST

/* A writer waits for two readers; one of them waits for the writer's mutex, the other runs. */
START_TEST(running_reader_cannot_help)
{
	struct snap_thread *t[3];
	make_threads(t, 3);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_wants(world, t[1], B, 4 * SEC);
	world_mutex(world, t[2], B, 5 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 3 * SEC);
	const struct finding *finding = expect_cycle(2);
	ck_assert_ptr_null(item_of(finding, ROLE_acquired, t[0], 0));
}
END_TEST

/* A writer waits for two readers; one of them waits for the other's mutex, and that one runs. */
START_TEST(running_reader_will_help)
{
	struct snap_thread *t[3];
	make_threads(t, 3);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_mutex(world, t[0], B, 5 * SEC);
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_wants(world, t[1], B, 4 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 3 * SEC);
	expect_none();
}
END_TEST

/* 1 reads A and wants to read it again; writer 2 waits in between. */
static void make_queue(nsec_t age)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 5 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, A, MODE_EXCLUSIVE, 4 * SEC);
	world_wait(world, t[0], KIND_RWLOCK, A, MODE_SHARED, age);
}

START_TEST(reader_behind_preferred_writer)
{
	make_queue(100 * MS);
	world_object(world, KIND_RWLOCK, A, OBJECT_PREFER_WRITER);
	const struct finding *finding = expect_cycle(2);
	ck_assert_uint_eq(items_of(finding, ROLE_waits), 2);
	ck_assert_uint_eq(items_of(finding, ROLE_acquired), 1);
}
END_TEST

START_TEST(reader_may_pass_writer)
{
	make_queue(100 * MS);
	expect_none();
}
END_TEST

START_TEST(reader_evidently_behind_writer)
{
	/* Nothing is known of the lock, but a reader that could pass would have done so. */
	make_queue(2 * SEC);
	expect_cycle(2);
}
END_TEST

START_TEST(reader_behind_writer_that_waits_for_another)
{
	/* As long as a writer has it, the waiting writer is no obstacle of its own. */
	struct snap_thread *t[3];
	make_threads(t, 3);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_EXCLUSIVE, 5 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 3 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 4 * SEC);
	expect_none();
}
END_TEST

START_TEST(join_of_one_who_waits_for_the_joiner)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_mutex(world, t[0], A, 5 * SEC);
	world_join(world, t[0], t[1], 4 * SEC);
	world_wants(world, t[1], A, 3 * SEC);
	const struct finding *finding = expect_cycle(2);
	ck_assert_uint_eq(items_of(finding, ROLE_acquired), 1);
	ck_assert_uint_eq(item_of(finding, ROLE_waits, t[0], 0)->other, t[1]->id);
	ck_assert_uint_eq(item_of(finding, ROLE_acquired, t[0], 0)->handle, A);
}
END_TEST

START_TEST(join_of_one_who_ended)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_mutex(world, t[0], A, 5 * SEC);
	world_join(world, t[0], t[1], 4 * SEC);
	world_wants(world, t[1], A, 3 * SEC);
	t[1]->state = THREAD_ENDED;
	expect_none();
}
END_TEST

START_TEST(once_in_itself)
{
	struct snap_thread *t = world_thread(world);
	world_hold(world, t, KIND_ONCE, A, MODE_EXCLUSIVE, 2 * SEC);
	world_wait(world, t, KIND_ONCE, A, MODE_EXCLUSIVE, 1 * SEC);
	expect_cycle(1);
}
END_TEST

START_TEST(once_and_mutex)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_hold(world, t[0], KIND_ONCE, A, MODE_EXCLUSIVE, 5 * SEC);
	world_wants(world, t[0], B, 4 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wait(world, t[1], KIND_ONCE, A, MODE_EXCLUSIVE, 3 * SEC);
	expect_cycle(2);
}
END_TEST

START_TEST(through_every_kind)
{
	/* spin ─▶ annotated lock ─▶ rwlock ─▶ join ─▶ spin */
	struct snap_thread *t[4];
	make_threads(t, 4);
	world_hold(world, t[0], KIND_SPIN, A, MODE_EXCLUSIVE, 9 * SEC);
	world_wait(world, t[0], KIND_LOCK, B, MODE_EXCLUSIVE, 8 * SEC);
	world_hold(world, t[1], KIND_LOCK, B, MODE_EXCLUSIVE, 9 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, C, MODE_SHARED, 8 * SEC);
	world_hold(world, t[2], KIND_RWLOCK, C, MODE_EXCLUSIVE, 9 * SEC);
	world_join(world, t[2], t[3], 8 * SEC);
	world_wait(world, t[3], KIND_SPIN, A, MODE_EXCLUSIVE, 8 * SEC);
	expect_cycle(4);
}
END_TEST

START_TEST(semaphores_are_posted_by_anybody)
{
	struct snap_thread *t[2];
	make_threads(t, 2);
	world_hold(world, t[0], KIND_SEM, A, MODE_EXCLUSIVE, 5 * SEC);
	world_wants(world, t[0], B, 4 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wait(world, t[1], KIND_SEM, A, MODE_EXCLUSIVE, 3 * SEC);
	world_object(world, KIND_SEM, A, 0)->value = 1;
	expect_none();
}
END_TEST

START_TEST(torn_threads_prove_nothing)
{
	struct snap_thread *t[3];
	make_ring(t, 3);
	t[_i]->torn = true;
	expect_none();
}
END_TEST

START_TEST(victims_are_told_with_the_cycle)
{
	struct snap_thread *t[2];
	make_ring(t, 2);
	struct snap_thread *direct = world_thread(world);
	struct snap_thread *indirect = world_thread(world);
	struct snap_thread *other = world_thread(world);
	world_mutex(world, direct, C, 60 * SEC);
	world_wants(world, direct, A, 60 * SEC);
	world_wants(world, indirect, C, 50 * SEC);
	world_wants(world, other, 0xd00, 50 * SEC);
	const struct finding *finding = expect_cycle(2);
	ck_assert_uint_eq(finding->item_count, 6);
	ck_assert(!(item_of(finding, ROLE_waits, direct, 0)->flags & ITEM_SUBJECT));
	ck_assert_uint_eq(item_of(finding, ROLE_waits, indirect, 0)->other, direct->id);
	ck_assert_ptr_null(item_of(finding, ROLE_waits, other, 0));
	/* Neither the threads of the cycle nor their victims are stuck holders besides. */
	ck_assert_uint_eq(world->found.count, 1);
}
END_TEST

START_TEST(two_deadlocks)
{
	struct snap_thread *t[4];
	make_threads(t, 4);
	for (int i = 0; i < 4; i++) {
		world_mutex(world, t[i], A + (uint64_t)i, 5 * SEC);
		world_wants(world, t[i], A + (uint64_t)(i ^ 1), 1 * SEC);
	}
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_deadlock), 2);
	ck_assert_uint_ne(world->found.found[0]->key, world->found.found[1]->key);
}
END_TEST

START_TEST(first_cycle_of_a_knot)
{
	/* 2 and 3 crossed A and B; later 1 got into the knot by a cycle of its own. The first one stays. */
	struct snap_thread *t[3];
	make_threads(t, 3);
	world_hold(world, t[1], KIND_RWLOCK, A, MODE_SHARED, 9 * SEC);
	world_mutex(world, t[2], B, 9 * SEC);
	world_wants(world, t[1], B, 8 * SEC);
	world_wait(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 7 * SEC);
	uint64_t key = expect_cycle(2)->key;
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 6 * SEC);
	world_wants(world, t[0], B, 5 * SEC);
	const struct finding *finding = expect_cycle(2);
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_eq(finding->thread, t[1]->id);
	ck_assert_ptr_nonnull(item_of(finding, ROLE_waits, t[0], 0));
}
END_TEST

START_TEST(key_and_witness)
{
	struct snap_thread *t[2];
	make_ring(t, 2);
	const struct finding *finding = expect_cycle(2);
	uint64_t key = finding->key, witness = finding->witness;
	world_pass(world, 100 * MS);
	finding = expect_cycle(2);
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_eq(finding->witness, witness);
	/* Taken again meanwhile: not the same deadlock. */
	t[1]->holds[0].serial += 10;
	ck_assert_uint_ne(expect_cycle(2)->witness, witness);
	t[1]->holds[0].serial -= 10;
	t[0]->wait.serial += 10;
	ck_assert_uint_ne(expect_cycle(2)->key, key);
}
END_TEST

/* Two recorded holders of one mutex: the older one was released without our seeing it. */
START_TEST(stale_hold)
{
	struct snap_thread *t[4];
	make_ring(t, 2);
	t[2] = world_thread(world);
	t[3] = world_thread(world);
	expect_cycle(2);
	world_mutex(world, t[2], A + 1, 1 * SEC); /* newer than t[1]'s */
	expect_none();
	t[2]->holds[0].since = t[1]->holds[0].since - 1; /* older: it is that one that is stale */
	expect_cycle(2);
	t[2]->holds[0].since = t[1]->holds[0].since; /* nobody can tell */
	expect_none();
	/* Of two old ones nobody could tell either, but both are stale. */
	t[2]->holds[0].since = t[1]->holds[0].since - 1;
	world_mutex(world, t[3], A + 1, 0)->since = t[2]->holds[0].since;
	expect_cycle(2);
}
END_TEST

START_TEST(stale_reader)
{
	/* A reader of long ago, then a writer: the reader is gone. */
	struct snap_thread *t[3];
	make_threads(t, 3);
	world_hold(world, t[0], KIND_RWLOCK, A, MODE_SHARED, 9 * SEC);
	world_wants(world, t[0], B, 4 * SEC);
	world_mutex(world, t[1], B, 5 * SEC);
	world_wait(world, t[1], KIND_RWLOCK, A, MODE_EXCLUSIVE, 3 * SEC);
	expect_cycle(2);
	world_hold(world, t[2], KIND_RWLOCK, A, MODE_EXCLUSIVE, 8 * SEC);
	expect_none();
	/* And the other way round: the writer is the stale one. */
	t[2]->holds[0].since = world->snapshot.now - 10 * SEC;
	expect_cycle(2);
}
END_TEST

/* -- against another way to the answer -------------------------------------- */

/*
 * Lets every thread that waits for nobody, or for nobody who is left, go on and give back what it
 * holds, until nothing moves. Return: how many are left for ever.
 */
static unsigned left_for_ever(bool *left)
{
	const struct snapshot *snapshot = &world->snapshot;
	unsigned count = snapshot->thread_count;
	for (unsigned i = 0; i < snapshot->thread_count; i++)
		left[i] = true;
	for (bool moved = true; moved;) {
		moved = false;
		for (unsigned i = 0; i < snapshot->thread_count; i++) {
			const struct snap_thread *thread = &snapshot->threads[i];
			bool stays = false;
			for (unsigned j = 0; left[i] && thread->waiting && j < snapshot->thread_count; j++) {
				const struct snap_thread *holder = &snapshot->threads[j];
				stays |= left[j] && thread->wait.target == holder->id;
				for (unsigned h = 0; left[j] && h < holder->hold_count; h++)
					stays |= holder->holds[h].handle == thread->wait.handle &&
						 (holder->holds[h].mode == MODE_EXCLUSIVE ||
						  thread->wait.mode == MODE_EXCLUSIVE);
			}
			if (left[i] && !stays) {
				left[i] = false;
				moved = true;
				count--;
			}
		}
	}
	return count;
}

/* Locks are taken as threads could have: exclusively by one, or shared by some. */
static void make_random(unsigned seed)
{
	enum { THREADS = 9, LOCKS = 8 };
	srand(seed);
	struct snap_thread *t[THREADS];
	make_threads(t, THREADS);
	for (unsigned lock = 0; lock < LOCKS; lock++) {
		if (rand() % 2) {
			world_hold(world, t[rand() % THREADS], KIND_RWLOCK, A + lock, MODE_EXCLUSIVE,
				   50 * SEC);
			continue;
		}
		for (unsigned i = 0; i < THREADS; i++)
			if (rand() % 5 == 0)
				world_hold(world, t[i], KIND_RWLOCK, A + lock, MODE_SHARED, 50 * SEC);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		nsec_t age = 100 * MS + (nsec_t)(rand() % 5) * 100 * MS;
		if (rand() % 4 == 0)
			continue;
		if (rand() % 6 == 0)
			world_join(world, t[i], t[rand() % THREADS], age);
		else
			world_wait(world, t[i], KIND_RWLOCK, A + (uint64_t)(rand() % LOCKS),
				   rand() % 2 ? MODE_EXCLUSIVE : MODE_SHARED, age);
	}
}

START_TEST(random_worlds)
{
	unsigned deadlocked = 0, free_of_it = 0;
	for (unsigned seed = 0; seed < 3000; seed++) {
		bool left[WORLD_THREADS];
		make_random(seed);
		world_look(world);
		unsigned count = left_for_ever(left);
		deadlocked += count != 0;
		free_of_it += count == 0;
		ck_assert_msg((count != 0) == (world_count(world, FINDING_deadlock) != 0), "seed %u", seed);
		/* All of them, and only they, are in some deadlock or wait for it. */
		for (unsigned i = 0; i < world->snapshot.thread_count; i++) {
			bool told = false;
			for (unsigned f = 0; f < world->found.count; f++)
				told |= world->found.found[f]->kind == FINDING_deadlock &&
					item_of(world->found.found[f], ROLE_waits, &world->threads[i], 0);
			ck_assert_msg(told == left[i], "seed %u thread %u", seed, i + 1);
		}
		teardown();
		setup();
	}
	/* The test is worth something only where both happen. */
	ck_assert_uint_gt(deadlocked, 300);
	ck_assert_uint_gt(free_of_it, 300);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("deadlock");
	TCase *tests = tcase_create("deadlock");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, nothing_of_nothing);
	tcase_add_test(tests, two_locks_crossed);
	tcase_add_loop_test(tests, rings_of_any_length, 0, 4);
	tcase_add_test(tests, broken_ring);
	tcase_add_test(tests, itself);
	tcase_add_loop_test(tests, recursive_relock, 0, 2);
	tcase_add_test(tests, recursive_relock_again);
	tcase_add_test(tests, attributes_of_another_kind);
	tcase_add_test(tests, read_again);
	tcase_add_test(tests, same_address_another_kind);
	tcase_add_loop_test(tests, timed_wait_is_no_deadlock, 0, 3);
	tcase_add_test(tests, parked_mutex_is_not_held);
	tcase_add_loop_test(tests, condition_needs_its_mutex_back, 0, 2);
	tcase_add_test(tests, two_upgrades);
	tcase_add_test(tests, reader_and_writer);
	tcase_add_test(tests, readers_do_not_wait_for_readers);
	tcase_add_test(tests, running_reader_cannot_help);
	tcase_add_test(tests, running_reader_will_help);
	tcase_add_test(tests, reader_behind_preferred_writer);
	tcase_add_test(tests, reader_may_pass_writer);
	tcase_add_test(tests, reader_evidently_behind_writer);
	tcase_add_test(tests, reader_behind_writer_that_waits_for_another);
	tcase_add_test(tests, join_of_one_who_waits_for_the_joiner);
	tcase_add_test(tests, join_of_one_who_ended);
	tcase_add_test(tests, once_in_itself);
	tcase_add_test(tests, once_and_mutex);
	tcase_add_test(tests, through_every_kind);
	tcase_add_test(tests, semaphores_are_posted_by_anybody);
	tcase_add_loop_test(tests, torn_threads_prove_nothing, 0, 3);
	tcase_add_test(tests, victims_are_told_with_the_cycle);
	tcase_add_test(tests, two_deadlocks);
	tcase_add_test(tests, first_cycle_of_a_knot);
	tcase_add_test(tests, key_and_witness);
	tcase_add_test(tests, stale_hold);
	tcase_add_test(tests, stale_reader);
	tcase_add_test(tests, random_worlds);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
