#include <check.h>

#include "world.h"

#define MB UINT64_C(1000000)

static struct world *world;

static void setup(void)
{
	world = world_make();
	world->limits.heap_growth_rate = 50 * MB;
	world->limits.heap_growth_for = 3 * SEC;
}

static void teardown(void)
{
	world_free(world);
}

/* Goes on for `time` from the last point, a tick a point, by `rate` a second. */
static void grow(nsec_t time, nsec_t tick, int64_t rate)
{
	uint64_t number = world->header.tables[REC_SERIES].used / sizeof(struct rec_point);
	const struct rec_point *last = number ? &world->series[(number - 1) % REC_SERIES_COUNT] : NULL;
	nsec_t start = last ? last->at : 1 * SEC;
	double live = last ? (double)last->live_bytes : 100e6;
	for (nsec_t at = tick; at <= time; at += tick)
		world_point(world, start + at, (uint64_t)(live + (double)rate * (double)at / 1e9), 4);
	world->snapshot.now = start + time;
}

static void expect(bool grown)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_heap_growth), grown);
	ck_assert_uint_eq(world->found.count, grown);
}

START_TEST(steady)
{
	grow(5 * SEC, 100 * MS, 60 * (int64_t)MB);
	world->sites[1] = (struct rec_site){ .stack = 7, .live_bytes = 10 * MB, .live_blocks = 3 };
	world->sites[2] =
	    (struct rec_site){ .stack = 8, .live_bytes = 300 * MB, .live_blocks = UINT64_C(1) << 40 };
	world->sites[3] = (struct rec_site){ .stack = 9, .live_bytes = -64 };
	for (unsigned i = 4; i < 12; i++)
		world->sites[i] =
		    (struct rec_site){ .stack = 20 + i, .live_bytes = i * MB, .live_blocks = i };
	world->header.tables[REC_SITES].used = 12 * sizeof(struct rec_site);
	expect(true);
	const struct finding *finding = world->found.found[0];
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	ck_assert_uint_eq(finding->limit, 3 * SEC);
	ck_assert_uint_ge(finding->rate, 59 * MB);
	ck_assert_uint_le(finding->rate, 61 * MB);
	ck_assert_uint_eq(finding->amount, 400 * MB);
	ck_assert_uint_eq(finding->since, world->snapshot.now - 3 * SEC);
	ck_assert_uint_eq(finding->item_count, 5);
	static const stack_id order[] = { 8, 31, 7, 30, 29 };
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(finding->items[i].role, ROLE_site);
		ck_assert_uint_eq(finding->items[i].stack, order[i]);
	}
	ck_assert_uint_eq(finding->items[0].amount, 300 * MB);
	ck_assert_uint_eq(finding->items[0].count, UINT32_MAX);
}
END_TEST

START_TEST(slow)
{
	grow(20 * SEC, 100 * MS, 49 * (int64_t)MB);
	expect(false);
}
END_TEST

START_TEST(switched_off)
{
	grow(5 * SEC, 100 * MS, 60 * (int64_t)MB);
	expect(true);
	world->limits.heap_growth_rate = 0;
	expect(false);
}
END_TEST

START_TEST(not_for_long_enough)
{
	grow(10 * SEC, 100 * MS, 0);
	grow(2500 * MS, 100 * MS, 55 * (int64_t)MB);
	expect(false);
	grow(500 * MS, 100 * MS, 55 * (int64_t)MB);
	expect(true);
}
END_TEST

START_TEST(young_process)
{
	/* Nothing is known of the time before its first point. */
	grow(2900 * MS, 100 * MS, 600 * (int64_t)MB);
	expect(false);
}
END_TEST

START_TEST(tables_at_the_start)
{
	/* Half a gigabyte in half a second, and then no more: a program that loaded its data. */
	grow(1 * SEC, 100 * MS, 0);
	grow(500 * MS, 100 * MS, 1000 * (int64_t)MB);
	for (unsigned i = 0; i < 60; i++) {
		grow(100 * MS, 100 * MS, 0);
		expect(false);
	}
}
END_TEST

START_TEST(breathing)
{
	/* 100 MB/s up for a second, down for a second, at any moment. */
	for (unsigned round = 0; round < 6; round++)
		for (unsigned step = 0; step < 20; step++) {
			grow(100 * MS, 100 * MS, (step < 10 ? 100 : -100) * (int64_t)MB);
			expect(false);
		}
}
END_TEST

START_TEST(bursts)
{
	/* 66 MB at once, once in 1.1 s: it grows by 60 MB/s all the same. */
	unsigned seen = 0;
	for (unsigned round = 0; round < 6; round++)
		for (unsigned step = 0; step < 11; step++) {
			grow(100 * MS, 100 * MS, step ? 0 : 660 * (int64_t)MB);
			world_look(world);
			seen += world_count(world, FINDING_heap_growth);
		}
	ck_assert_uint_gt(seen, 0);
}
END_TEST

START_TEST(few_points)
{
	grow(6 * SEC, 750 * MS, 60 * (int64_t)MB);
	expect(true);
}
END_TEST

START_TEST(ring_overwritten)
{
	/* More points than the ring holds; its seam lies somewhere inside the window. */
	grow((REC_SERIES_COUNT + 10) * 10 * MS, 10 * MS, 1 * (int64_t)MB);
	expect(false);
	grow(3 * SEC, 10 * MS, 60 * (int64_t)MB);
	ck_assert_uint_gt(world->header.tables[REC_SERIES].used, sizeof(world->series));
	expect(true);
	/* Where it holds less than the window, what there is will do. */
	world->limits.heap_growth_for = 100 * SEC;
	world->limits.heap_growth_rate = 10 * MB;
	expect(false);
	grow(60 * SEC, 10 * MS, 20 * (int64_t)MB);
	expect(true);
}
END_TEST

START_TEST(hostile_series)
{
	grow(5 * SEC, 100 * MS, 60 * (int64_t)MB);
	struct rec_table *table = &world->header.tables[REC_SERIES];
	uint64_t used = table->used;
	table->used = UINT64_MAX;
	table->capacity = used;
	expect(false);
	table->used = used;
	table->capacity = used - 1;
	expect(false);
	table->capacity = UINT32_MAX;
	/* Times that go backwards are nonsense, and no crash. */
	for (unsigned i = 0; i < 50; i++)
		world->series[i].at = UINT64_MAX - i;
	world_look(world);
	world->view.tables[REC_SERIES] = NULL;
	expect(false);
}
END_TEST

/* -- threads ------------------------------------------------------------------ */

static void threads_grow(unsigned from, unsigned to, unsigned steps)
{
	for (unsigned i = 1; i <= steps; i++) {
		world_pass(world, 1 * SEC);
		world_point(world, world->snapshot.now, 0, from + (to - from) * i / steps);
	}
}

static void expect_threads(bool grown)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_thread_growth), grown);
}

START_TEST(threads_leak)
{
	world->limits.thread_growth_percent = 200;
	world->limits.thread_growth_in = 60 * SEC;
	world_point(world, world->snapshot.now, 0, 10);
	threads_grow(10, 30, 59);
	expect_threads(false);
	threads_grow(30, 31, 1);
	for (unsigned i = 0; i < 31; i++)
		world_thread(world)->created_stack = i < 20 ? 5 : 6;
	expect_threads(true);
	const struct finding *finding = world_found(world, FINDING_thread_growth);
	ck_assert_uint_eq(finding->count, 31);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[0].stack, 5);
	ck_assert_uint_eq(finding->items[0].count, 20);
	world->limits.thread_growth_percent = 0;
	expect_threads(false);
}
END_TEST

START_TEST(threads_of_a_pool)
{
	/* A pool is made at the start and stays. */
	world->limits.thread_growth_percent = 200;
	world->limits.thread_growth_in = 60 * SEC;
	world_point(world, world->snapshot.now, 0, 1);
	threads_grow(1, 65, 2);
	for (unsigned i = 0; i < 120; i++) {
		threads_grow(65, 65, 1);
		expect_threads(false);
	}
}
END_TEST

START_TEST(threads_one_to_three)
{
	world->limits.thread_growth_percent = 200;
	world->limits.thread_growth_in = 60 * SEC;
	world_point(world, world->snapshot.now, 0, 1);
	threads_grow(1, 4, 60);
	expect_threads(false);
}
END_TEST

/* -- memory from the kernel ------------------------------------------------ */

/* Goes on for `seconds`, a point a second. */
static void memory_goes_on(unsigned seconds, uint64_t rss_from, uint64_t rss_a_second, uint64_t heap_a_second)
{
	nsec_t start = world->snapshot.now;
	for (unsigned i = 0; i <= seconds; i++) {
		uint64_t number = world->header.tables[REC_SERIES].used / sizeof(struct rec_point);
		world_point(world, start + i * SEC, 100 * MB + i * heap_a_second, 4);
		world->series[number % REC_SERIES_COUNT].rss_bytes = rss_from + i * rss_a_second;
	}
	world->snapshot.now = start + seconds * SEC;
}

static void expect_kind(enum finding_kind kind, bool there)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, kind), there);
	ck_assert_uint_eq(world->found.count, there);
}

START_TEST(rss)
{
	world->limits.heap_growth_rate = 0;
	world->limits.rss_growth_rate = 50 * MB;
	world->limits.rss_growth_for = 10 * SEC;
	memory_goes_on(5, 100 * MB, 60 * MB, 0);
	expect_kind(FINDING_rss_growth, false); /* not for long enough */
	memory_goes_on(10, 400 * MB, 60 * MB, 0);
	expect_kind(FINDING_rss_growth, true);
	const struct finding *finding = world->found.found[0];
	ck_assert_uint_eq(finding->amount, 1000 * MB);
	ck_assert_uint_eq(finding->rate, 60 * MB);
	ck_assert_uint_eq(finding->item_count, 0);
	ck_assert_uint_eq(finding->sort, MAPPINGS_UNRECORDED);
	memory_goes_on(10, 1000 * MB, 60 * MB, 30 * MB);
	expect_kind(FINDING_rss_growth, false); /* half of it is the heap's */
	memory_goes_on(10, 1600 * MB, 0, 0);
	expect_kind(FINDING_rss_growth, false);
}
END_TEST

static void map(const struct snap_thread *thread, stack_id stack, uint64_t bytes, nsec_t age)
{
	struct rec_hold *hold = world_iterator(world, thread, KIND_MAPPING, stack, age);
	hold->bytes = bytes;
	hold->op = OP_mmap;
}

/* Who has mapped something in the time, and has it still, the most first; not who had it before, and not who has little. */
START_TEST(rss_mapped)
{
	world->limits.heap_growth_rate = 0;
	world->limits.rss_growth_rate = 50 * MB;
	world->limits.rss_growth_for = 10 * SEC;
	world->limits.mappings = true;
	memory_goes_on(11, 400 * MB, 60 * MB, 0);
	const struct snap_thread *thread = world_thread(world);
	map(thread, 7, 100 * MB, 5 * SEC);
	map(thread, 8, 150 * MB, 4 * SEC);
	map(thread, 7, 100 * MB, 3 * SEC);
	map(thread, 9, 900 * MB, 11 * SEC);
	map(thread, 10, 5 * MB, 2 * SEC);
	expect_kind(FINDING_rss_growth, true);
	const struct finding *finding = world->found.found[0];
	ck_assert_uint_eq(finding->sort, MAPPINGS_RECORDED);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[0].stack, 7);
	ck_assert_uint_eq(finding->items[0].amount, 200 * MB);
	ck_assert_uint_eq(finding->items[0].count, 2);
	ck_assert_uint_eq(finding->items[0].since, world->snapshot.now - 5 * SEC);
	ck_assert_uint_eq(finding->items[0].flags, ITEM_SUBJECT);
	ck_assert_uint_eq(finding->items[1].stack, 8);
}
END_TEST

static void heap_goes_on(unsigned seconds, uint64_t taken, uint64_t used)
{
	nsec_t start = world->snapshot.now;
	for (unsigned i = 1; i <= seconds; i++) {
		uint64_t number = world->header.tables[REC_SERIES].used / sizeof(struct rec_point);
		world_point(world, start + i * SEC, used, 4);
		world->series[number % REC_SERIES_COUNT].taken_bytes = taken;
		world->series[number % REC_SERIES_COUNT].used_bytes = used;
	}
	world->snapshot.now = start + seconds * SEC;
}

START_TEST(holes)
{
	static struct rec_arenas arenas;
	world->limits.heap_growth_rate = 0;
	world->limits.fragmentation_percent = 400;
	world->limits.fragmentation_in = 60 * SEC;
	arenas.at[0] = (struct rec_arena){ .taken = 90 * MB, .live = 8 * MB, .blocks = 100 };
	arenas.at[1] = (struct rec_arena){ .arena = 0x7000, .taken = 110 * MB, .live = 2 * MB, .blocks = 9 };
	arenas.count = 2;
	arenas.pins[0] = (struct rec_pin){ .bytes = 80 * MB, .site = 1 };
	arenas.pins[1] = (struct rec_pin){ .bytes = 1 * MB, .site = 2 };
	world->view.tables[REC_ARENAS] = &arenas;
	world->header.tables[REC_ARENAS].used = sizeof arenas;
	world->sites[1] = (struct rec_site){ .stack = 5, .live_blocks = 9 };
	world->sites[2] = (struct rec_site){ .stack = 6 };
	world->header.tables[REC_SITES].used = 3 * sizeof(struct rec_site);
	heap_goes_on(10, 200 * MB, 190 * MB);
	heap_goes_on(60, 200 * MB, 10 * MB);
	expect_kind(FINDING_fragmentation, false); /* not for long enough */
	heap_goes_on(2, 200 * MB, 10 * MB);
	expect_kind(FINDING_fragmentation, true);
	const struct finding *finding = world->found.found[0];
	ck_assert_uint_eq(finding->amount, 200 * MB);
	ck_assert_uint_eq(finding->indirect, 10 * MB);
	ck_assert_uint_eq(finding->item_count, 3);
	ck_assert_uint_eq(finding->items[0].role, ROLE_arena);
	ck_assert_uint_eq(finding->items[0].amount, 110 * MB);
	ck_assert_uint_eq(finding->items[1].used, 8 * MB);
	ck_assert_uint_eq(finding->items[2].role, ROLE_pins);
	ck_assert_uint_eq(finding->items[2].stack, 5);
	heap_goes_on(1, 200 * MB, 100 * MB);
	expect_kind(FINDING_fragmentation, false);
	heap_goes_on(80, 200 * MB, 100 * MB); /* twice as much, and not five times */
	expect_kind(FINDING_fragmentation, false);
	heap_goes_on(80, 40 * MB, 1 * MB); /* not enough to speak of */
	expect_kind(FINDING_fragmentation, false);
	heap_goes_on(80, 0, 0); /* not known */
	expect_kind(FINDING_fragmentation, false);
}
END_TEST

/* What is switched off is not judged, and needs no points: at each tick the ring would be full after minutes. */
START_TEST(points_are_as_near_as_what_is_judged_needs)
{
	struct limits limits = { .heap_growth_for = 3 * SEC, .thread_growth_in = 300 * SEC };
	ck_assert_uint_lt(limits_point_every(&limits), SEC);
	limits.heap_growth_for = 0;
	ck_assert_uint_eq(limits_point_every(&limits), SEC);
	limits.rss_growth_for = 400 * MS;
	ck_assert_uint_le(limits_point_every(&limits), 101 * MS);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("growth");
	TCase *tests = tcase_create("growth");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, steady);
	tcase_add_test(tests, slow);
	tcase_add_test(tests, switched_off);
	tcase_add_test(tests, not_for_long_enough);
	tcase_add_test(tests, young_process);
	tcase_add_test(tests, tables_at_the_start);
	tcase_add_test(tests, breathing);
	tcase_add_test(tests, bursts);
	tcase_add_test(tests, few_points);
	tcase_add_test(tests, ring_overwritten);
	tcase_add_test(tests, hostile_series);
	tcase_add_test(tests, threads_leak);
	tcase_add_test(tests, threads_of_a_pool);
	tcase_add_test(tests, threads_one_to_three);
	tcase_add_test(tests, rss);
	tcase_add_test(tests, rss_mapped);
	tcase_add_test(tests, holes);
	tcase_add_test(tests, points_are_as_near_as_what_is_judged_needs);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
