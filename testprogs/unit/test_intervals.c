/* Ranges of addresses in order, compared with a table in which each address has a place of its own. */
#include <check.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/hash.h"
#include "base/intervals.h"

#include "testprogs/unit/suite.h"

#define ROOM 512u
#define ADDRESSES 400u

static struct interval at[ROOM];
static struct intervals intervals;

static void begin(void)
{
	memset(at, 0, sizeof at);
	intervals = (struct intervals){ .at = at, .room = ROOM };
}

START_TEST(the_lowest_that_overlaps_is_found)
{
	begin();
	uint32_t high = intervals_add(&intervals, 300, 400, 1);
	uint32_t low = intervals_add(&intervals, 100, 200, 2);
	ck_assert_uint_eq(intervals_first(&intervals, 0, 100), 0);
	ck_assert_uint_eq(intervals_first(&intervals, 0, 101), low);
	ck_assert_uint_eq(intervals_first(&intervals, 199, 1000), low);
	ck_assert_uint_eq(intervals_first(&intervals, 200, 1000), high);
	ck_assert_uint_eq(intervals_first(&intervals, 200, 300), 0);
	ck_assert_uint_eq(intervals_first(&intervals, 399, 400), high);
	ck_assert_uint_eq(intervals_first(&intervals, 400, UINT64_MAX), 0);
	ck_assert_uint_eq(at[low].tag, 2);
	intervals_remove(&intervals, low);
	ck_assert_uint_eq(intervals_first(&intervals, 0, 1000), high);
}
END_TEST

START_TEST(where_there_is_no_room_nothing_is_added)
{
	begin();
	for (uint64_t i = 1; i < ROOM; i++)
		ck_assert_uint_ne(intervals_add(&intervals, i * 10, i * 10 + 10, i), 0);
	ck_assert_uint_eq(intervals_add(&intervals, 0, 10, 0), 0);
	uint32_t number = intervals_first(&intervals, 70, 71);
	ck_assert_uint_eq(at[number].tag, 7);
	intervals_remove(&intervals, number);
	ck_assert_uint_eq(intervals_add(&intervals, 0, 10, 0), number);
	ck_assert_uint_eq(intervals_first(&intervals, 70, 80), 0);
	ck_assert_uint_eq(intervals_first(&intervals, 0, 80), number);
}
END_TEST

/* How many steps it takes to the lowest of all. */
static unsigned depth_of_first(void)
{
	unsigned depth = 0;
	for (uint32_t number = intervals.root; number; number = at[number].left)
		depth++;
	return depth;
}

START_TEST(an_order_that_goes_one_way_makes_no_list)
{
	begin();
	for (uint64_t i = ROOM - 1; i > 0; i--)
		intervals_add(&intervals, i * 4096, (i + 1) * 4096, i);
	ck_assert_uint_lt(depth_of_first(), 64);
}
END_TEST

/* owners[i]: the tag of the interval that holds address i; 0: none does. */
static uint64_t owners[ADDRESSES];

static void compare(uint64_t from, uint64_t end)
{
	uint64_t expected = 0;
	for (uint64_t i = from; i < end && !expected; i++)
		expected = owners[i];
	uint32_t number = intervals_first(&intervals, from, end);
	ck_assert_uint_eq(number ? at[number].tag : 0, expected);
}

START_TEST(a_thousand_steps_come_out_as_in_a_table)
{
	begin();
	memset(owners, 0, sizeof owners);
	for (uint64_t step = 1; step < 5000; step++) {
		uint64_t chance = hash_mix(step);
		uint64_t from = chance % ADDRESSES, end = from + 1 + (chance >> 20) % 12;
		end = MIN_OF(end, (uint64_t)ADDRESSES);
		uint32_t number;
		while ((number = intervals_first(&intervals, from, end))) {
			for (uint64_t i = at[number].start; i < at[number].end; i++)
				owners[i] = 0;
			intervals_remove(&intervals, number);
		}
		compare(from, end);
		if (chance >> 40 & 3) {
			ck_assert_uint_ne(intervals_add(&intervals, from, end, step), 0);
			for (uint64_t i = from; i < end; i++)
				owners[i] = step;
		}
		uint64_t asked = (chance >> 30) % ADDRESSES;
		compare(asked, MIN_OF(asked + 1 + (chance >> 50) % 50, (uint64_t)ADDRESSES));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/intervals");
	TCase *tests = tcase_create("intervals");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, the_lowest_that_overlaps_is_found);
	tcase_add_test(tests, where_there_is_no_room_nothing_is_added);
	tcase_add_test(tests, an_order_that_goes_one_way_makes_no_list);
	tcase_add_test(tests, a_thousand_steps_come_out_as_in_a_table);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
