#include <check.h>

#include "registry/misuse.h"
#include "reporter/incident.h"
#include "world.h"

#define A 0xa00
#define B 0xb00
#define TICK (100 * MS)

/* What was reported, in order: copies, since a finding may be gone after the call. */
struct told {
	uint32_t count;
	struct {
		struct finding finding;
		struct finding_item items[8];
	} all[64];
};

static struct world *world;
static struct snap_thread *t[8];
static struct incidents incidents;
static void *memory;
static struct told told;

static void tell(const struct finding *finding, void *data)
{
	struct told *into = data;
	ck_assert_uint_lt(into->count, COUNT_OF(into->all));
	ck_assert_uint_eq(finding->bytes, sizeof(*finding) + finding->item_count * sizeof(finding->items[0]));
	memcpy(&into->all[into->count++], finding, MIN_OF(finding->bytes, sizeof(into->all[0])));
}

static void setup(void)
{
	world = world_make();
	for (size_t i = 0; i < COUNT_OF(t); i++)
		t[i] = world_thread(world);
	memory = calloc(1, INCIDENTS_BYTES);
	incidents_init(&incidents, memory, INCIDENTS_BYTES);
	memset(&told, 0, sizeof(told));
}

static void teardown(void)
{
	free(memory);
	world_free(world);
}

/* A tick passes, and a look. Return: how many findings were reported by it. */
static uint32_t look(void)
{
	world_pass(world, TICK);
	world_look(world);
	told.count = 0;
	incidents_update(&incidents, &world->found, &world->snapshot, tell, &told);
	return told.count;
}

static void quiet(unsigned looks)
{
	for (unsigned i = 0; i < looks; i++)
		ck_assert_msg(look() == 0, "look %u reported a %s", i + 1,
			      finding_kind_name(told.all[0].finding.kind));
}

static const struct finding *expect(enum finding_kind kind, bool over)
{
	ck_assert_uint_eq(look(), 1);
	const struct finding *finding = &told.all[0].finding;
	ck_assert_uint_eq(finding->kind, kind);
	ck_assert_int_eq(!!(finding->flags & FOUND_OVER), over);
	ck_assert_int_eq(finding->over != 0, over);
	return finding;
}

static void make_deadlock(void)
{
	world_mutex(world, t[1], A, 5 * SEC);
	world_mutex(world, t[2], B, 5 * SEC);
	world_wants(world, t[1], B, 4 * SEC);
	world_wants(world, t[2], A, 3 * SEC);
}

static void make_stuck(void)
{
	world_mutex(world, t[1], A, 60 * SEC);
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 50 * SEC);
	world_wants(world, t[2], A, 40 * SEC);
}

START_TEST(two_looks)
{
	make_deadlock();
	quiet(1);
	const struct finding *finding = expect(FINDING_deadlock, false);
	ck_assert(incidents_reported(&incidents, finding->key));
	ck_assert(!incidents_reported(&incidents, finding->key + 1));
	/* And never again. */
	quiet(50);
}
END_TEST

START_TEST(moved_between_the_looks)
{
	/* They take the same locks again and again, and each look meets them crossed, but newly so. */
	make_deadlock();
	for (unsigned i = 0; i < 20; i++) {
		t[2]->holds[0].serial += 2;
		quiet(1);
	}
	/* Now they stand still. */
	expect(FINDING_deadlock, false);
}
END_TEST

START_TEST(gone_between_the_looks)
{
	make_deadlock();
	for (unsigned i = 0; i < 5; i++) {
		t[1]->waiting = true;
		quiet(1);
		t[1]->waiting = false;
		quiet(1);
	}
	ck_assert_uint_eq(incidents.count, 0);
}
END_TEST

START_TEST(over)
{
	make_stuck();
	quiet(1);
	const struct finding *finding = expect(FINDING_stuck_holder, false);
	uint64_t key = finding->key;
	nsec_t since = finding->since;
	quiet(10);
	t[1]->waiting = t[2]->waiting = false;
	nsec_t ended = world->snapshot.now + TICK;
	quiet(1); /* one look may be wrong */
	finding = expect(FINDING_stuck_holder, true);
	ck_assert_uint_eq(finding->key, key);
	ck_assert_uint_eq(finding->since, since);
	ck_assert_uint_eq(finding->over, ended);
	ck_assert_uint_eq(finding->at, world->snapshot.now);
	ck_assert_uint_eq(finding->item_count, 1);
	ck_assert_uint_eq(told.all[0].items[0].role, ROLE_blocked);
	ck_assert_uint_eq(told.all[0].items[0].thread, t[1]->id);
	ck_assert(!incidents_reported(&incidents, key));
	quiet(10);
	/* The same again is a new incident. */
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 11 * SEC);
	quiet(1);
	ck_assert_uint_ne(expect(FINDING_stuck_holder, false)->key, key);
}
END_TEST

START_TEST(new_waiters_are_no_news)
{
	make_stuck();
	quiet(1);
	expect(FINDING_stuck_holder, false);
	for (unsigned i = 3; i < 8; i++) {
		world_wants(world, t[i], A, 0);
		quiet(3);
	}
	t[2]->waiting = false;
	quiet(3);
}
END_TEST

START_TEST(torn_for_a_while)
{
	make_stuck();
	quiet(1);
	expect(FINDING_stuck_holder, false);
	/* The copy was made in the middle of something: it says anything. */
	t[1]->torn = true;
	t[1]->waiting = false;
	quiet(5);
	t[1]->torn = false;
	t[1]->waiting = true;
	quiet(5);
}
END_TEST

START_TEST(told_differently_by_now)
{
	/* 2 is stuck with B behind 1, who runs; then 1 blocks, and 2 is but one of its waiters. */
	world->limits.held = 0;
	world_mutex(world, t[1], A, 60 * SEC);
	world_mutex(world, t[2], B, 60 * SEC);
	world_wants(world, t[2], A, 15 * SEC);
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_stuck_holder, false)->thread, t[2]->id);
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 0);
	quiet(99);
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_stuck_holder, false)->thread, t[1]->id);
	/* That of 2 is not over. */
	quiet(10);
	t[1]->waiting = false;
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_stuck_holder, true)->thread, t[1]->id);
	quiet(10);
	t[2]->waiting = false;
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_stuck_holder, true)->thread, t[2]->id);
}
END_TEST

START_TEST(long_hold_that_becomes_stuck)
{
	world_mutex(world, t[1], A, 11 * SEC);
	world_wants(world, t[2], A, 1 * SEC);
	quiet(1);
	expect(FINDING_long_hold, false);
	world_wait(world, t[1], KIND_FD, 3, MODE_NONE, 10 * SEC);
	quiet(1);
	expect(FINDING_stuck_holder, false);
	quiet(10);
	/* Let go at last: both are over. */
	t[1]->waiting = t[2]->waiting = false;
	t[1]->hold_count = 0;
	quiet(1);
	ck_assert_uint_eq(look(), 2);
	ck_assert(told.all[0].finding.flags & told.all[1].finding.flags & FOUND_OVER);
	ck_assert_uint_ne(told.all[0].finding.kind, told.all[1].finding.kind);
}
END_TEST

START_TEST(iterator_is_over_when_closed)
{
	world_iterator(world, t[1], KIND_ITERATOR, 77, 11 * SEC);
	quiet(1);
	expect(FINDING_iterator_open, false);
	quiet(5);
	world->snapshot.resource_count = 0;
	quiet(1);
	expect(FINDING_iterator_open, true);
}
END_TEST

START_TEST(deadlock_of_many)
{
	for (unsigned i = 0; i < 8; i++) {
		world_mutex(world, t[i], A + i, 5 * SEC);
		world_wants(world, t[i], A + (i + 1) % 8, 4 * SEC);
	}
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_deadlock, false)->item_count, 16);
	quiet(5);
	/* One of them is cancelled: the ring is open for all. */
	t[6]->state = THREAD_ENDED;
	t[6]->waiting = false;
	t[6]->hold_count = 0;
	for (unsigned i = 0; i < 6; i++) {
		t[i]->waiting = false;
		t[i]->hold_count = 0;
	}
	quiet(1);
	const struct finding *finding = expect(FINDING_deadlock, true);
	ck_assert_uint_eq(finding->count, 8);
	ck_assert_uint_le(finding->item_count, 4);
}
END_TEST

/* An alert over counters needs one look, and has to be gone for its limit to be over. */
START_TEST(counters)
{
	world->limits.heap_growth_rate = 50000000;
	world->limits.heap_growth_for = 1 * SEC;
	uint64_t live = 0;
	unsigned reported = 0;
	for (unsigned i = 0; i < 20; i++) {
		world_point(world, world->snapshot.now + TICK, live += 6000000, 4);
		reported += look();
	}
	ck_assert_uint_eq(reported, 1);
	/* It falls below the limit now and then, but never for as long as the limit's time. */
	unsigned below = 0;
	for (unsigned i = 0; i < 80; i++) {
		world_point(world, world->snapshot.now + TICK, live += i % 20 < 2 ? 0 : 6000000, 4);
		reported += look();
		below += world->found.count == 0;
	}
	ck_assert_uint_gt(below, 20);
	ck_assert_uint_eq(reported, 1);
	/* It stops. */
	for (unsigned i = 0; i < 30; i++) {
		world_point(world, world->snapshot.now + TICK, live, 4);
		uint32_t now = look();
		ck_assert(!now || told.all[0].finding.flags & FOUND_OVER);
		reported += now;
	}
	ck_assert_uint_eq(reported, 2);
}
END_TEST

START_TEST(nothing_is_over_where_memory_ran_out)
{
	make_stuck();
	quiet(1);
	expect(FINDING_stuck_holder, false);
	world->snapshot.incomplete = true;
	world->snapshot.thread_count = 1;
	quiet(5);
	world->snapshot.thread_count = COUNT_OF(t);
	world->snapshot.incomplete = false;
	quiet(5);
}
END_TEST

START_TEST(no_room)
{
	/* Room for one incident: the first one gets it, the other is counted, nothing is told twice. */
	size_t one = 1;
	do
		incidents_init(&incidents, memory, one++);
	while (!incidents.room);
	make_stuck();
	world_mutex(world, t[3], B, 60 * SEC);
	world_wait(world, t[3], KIND_FD, 4, MODE_NONE, 45 * SEC);
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_stuck_holder, false)->thread, t[1]->id);
	quiet(10);
	ck_assert_uint_eq(incidents.lost, 12);
	/* When the first is over, the other comes in. */
	t[1]->waiting = t[2]->waiting = false;
	quiet(1);
	expect(FINDING_stuck_holder, true);
	quiet(1);
	ck_assert_uint_eq(expect(FINDING_stuck_holder, false)->thread, t[3]->id);
}
END_TEST

static void count_told(const struct finding *finding, void *data)
{
	(void)finding;
	++*(uint32_t *)data;
}

/* What has happened is never over: a program that misuses its heap in a thousand places may hang all the same. */
START_TEST(what_has_happened_leaves_room_for_what_lasts)
{
	uint32_t reported = 0;
	world_look(world);
	for (uint32_t i = 0; i < incidents.room + 1; i++) {
		struct finding *finding =
		    finding_begin(&world->found, FINDING_mismatched_free, &world->snapshot, 0);
		finding->key = finding->witness = 0x1000 + i;
	}
	incidents_update(&incidents, &world->found, &world->snapshot, count_told, &reported);
	ck_assert_uint_ge(reported, MISUSES_MOST);
	ck_assert_uint_eq(reported + incidents.lost, incidents.room + 1);
	make_deadlock();
	quiet(1);
	expect(FINDING_deadlock, false);
}
END_TEST

/* A lock held for long a thousand times a day fills no log so that a deadlock could not be told. */
START_TEST(the_log_has_room_for_what_matters)
{
	const struct finding deadlock = { .kind = FINDING_deadlock, .severity = SEVERITY_ERROR },
			     stuck = { .kind = FINDING_stuck_holder, .severity = SEVERITY_ERROR },
			     resolved = { .kind = FINDING_stuck_holder,
					  .severity = SEVERITY_ERROR,
					  .flags = FOUND_OVER },
			     held = { .kind = FINDING_long_hold, .severity = SEVERITY_WARNING };
	const uint64_t room = 16 << 20;
	ck_assert_uint_eq(incident_log_share(&deadlock, room), room);
	ck_assert_uint_lt(incident_log_share(&stuck, room), room);
	ck_assert_uint_lt(incident_log_share(&resolved, room), incident_log_share(&stuck, room));
	ck_assert_uint_eq(incident_log_share(&held, room), incident_log_share(&resolved, room));
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("incidents");
	TCase *tests = tcase_create("incidents");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, two_looks);
	tcase_add_test(tests, moved_between_the_looks);
	tcase_add_test(tests, gone_between_the_looks);
	tcase_add_test(tests, over);
	tcase_add_test(tests, new_waiters_are_no_news);
	tcase_add_test(tests, torn_for_a_while);
	tcase_add_test(tests, told_differently_by_now);
	tcase_add_test(tests, long_hold_that_becomes_stuck);
	tcase_add_test(tests, iterator_is_over_when_closed);
	tcase_add_test(tests, deadlock_of_many);
	tcase_add_test(tests, counters);
	tcase_add_test(tests, nothing_is_over_where_memory_ran_out);
	tcase_add_test(tests, no_room);
	tcase_add_test(tests, what_has_happened_leaves_room_for_what_lasts);
	tcase_add_test(tests, the_log_has_room_for_what_matters);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
