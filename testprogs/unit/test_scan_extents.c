/* Which mappings words lead to. */
#include <check.h>
#include <stdlib.h>

#include "base/context.h"
#include "reporter/scan/extents.h"

#include "testprogs/unit/suite.h"

#define BASE UINT64_C(0x7f1200000000)
#define PAGE UINT64_C(4096)

/* Two pages each: the first, right behind it the second, and far off two pieces of a third. Put in out of order. */
enum { FIRST, SECOND, LOW_PIECE, HIGH_PIECE, COUNT };

static struct extent at[COUNT];

static struct extents four(void)
{
	const uint64_t starts[COUNT] = { 0, 2, 100, 200 }, order[COUNT] = { 3, 1, 0, 2 };
	struct extents extents = { .at = at };
	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t number = order[i], start = BASE + starts[number] * PAGE;
		at[extents.count++] = (struct extent){
			.start = start,
			.end = start + 2 * PAGE,
			.last = start + 2 * PAGE - 1,
			.whole = number < LOW_PIECE ? number : LOW_PIECE,
			.resource = (uint32_t)number,
		};
	}
	extents_sort(&extents);
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_uint_eq(at[i].resource, i);
	return extents;
}

static void expect(unsigned reached)
{
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_uint_eq(at[i].state != EXTENT_UNKNOWN, reached >> i & 1);
}

START_TEST(any_byte_counts_and_those_around_don_t)
{
	struct extents extents = four();
	const uint64_t words[] = { 0, 1, BASE - 1, BASE + 4 * PAGE, BASE + 99 * PAGE, UINT64_MAX };
	extents_look(&extents, words, COUNT_OF(words));
	expect(0);
	const uint64_t inside = BASE + 2 * PAGE - 1;
	extents_look(&extents, &inside, 1);
	expect(1 << FIRST);
	ck_assert(!extents_reach(&extents, BASE));
	ck_assert(extents_reach(&extents, BASE + 2 * PAGE));
	expect(1 << FIRST | 1 << SECOND);
}
END_TEST

START_TEST(an_end_counts_where_it_is_said_to)
{
	struct extents extents = four();
	const uint64_t ends[] = { BASE + 4 * PAGE };
	extents_look(&extents, ends, 1);
	expect(0);
	at[SECOND].last = at[SECOND].end;
	extents_look(&extents, ends, 1);
	expect(1 << SECOND);
	/* Also the highest of all. */
	at[HIGH_PIECE].last = at[HIGH_PIECE].end;
	ck_assert(extents_reach(&extents, at[HIGH_PIECE].end));
}
END_TEST

/* One that begins where another ends is known by its start, whatever that says of the other. */
START_TEST(an_end_and_a_start_count_as_both)
{
	struct extents extents = four();
	ck_assert_uint_eq(at[FIRST].end, at[SECOND].start);
	at[FIRST].last = at[FIRST].end;
	ck_assert(extents_reach(&extents, at[FIRST].end));
	expect(1 << FIRST | 1 << SECOND);
	ck_assert(!extents_reach(&extents, at[FIRST].end));
}
END_TEST

START_TEST(a_piece_leads_to_the_others)
{
	struct extents extents = four();
	ck_assert_uint_eq(at[LOW_PIECE].beside, at[HIGH_PIECE].start);
	ck_assert_uint_eq(at[FIRST].beside, at[FIRST].start);
	ck_assert(extents_reach(&extents, at[HIGH_PIECE].start));
	expect(1 << LOW_PIECE | 1 << HIGH_PIECE);
	ck_assert_ptr_nonnull(extents_next(&extents));
	ck_assert_ptr_nonnull(extents_next(&extents));
	ck_assert_ptr_null(extents_next(&extents));
}
END_TEST

START_TEST(each_is_read_once)
{
	struct extents extents = four();
	ck_assert_ptr_null(extents_next(&extents));
	extents_reach(&extents, at[SECOND].start);
	extents_reach(&extents, at[FIRST].start);
	const struct extent *one = extents_next(&extents), *other = extents_next(&extents);
	ck_assert((one == &at[FIRST] && other == &at[SECOND]) || (one == &at[SECOND] && other == &at[FIRST]));
	ck_assert_ptr_null(extents_next(&extents));
	extents_reach(&extents, at[FIRST].start);
	ck_assert_ptr_null(extents_next(&extents));
}
END_TEST

/* Sorted again, as after some were taken out: nothing is to be read, and pieces know one another still. */
START_TEST(it_can_be_sorted_again)
{
	struct extents extents = four();
	extents_reach(&extents, at[FIRST].start);
	extents.count = 0;
	for (unsigned i = SECOND; i < COUNT; i++)
		at[extents.count++] = at[i];
	extents_sort(&extents);
	ck_assert_ptr_null(extents_next(&extents));
	ck_assert(extents_reach(&extents, at[1].start));
	ck_assert_uint_eq(at[0].state, EXTENT_UNKNOWN);
	ck_assert_uint_eq(at[2].state, EXTENT_REACHED);
}
END_TEST

START_TEST(words_in_what_is_ignored_lead_nowhere)
{
	struct extents extents = four();
	const uint64_t words[] = { BASE, BASE + 2 * PAGE };
	struct range range = { (uintptr_t)&words[0], (uintptr_t)&words[1] };
	extents.ignored = (struct ranges){ .at = &range, .count = 1 };
	extents_look(&extents, words, 2);
	expect(1 << SECOND);
}
END_TEST

START_TEST(disguised_words_count_as_well)
{
	struct extents extents = four();
	extents.mask = ~UINT64_C(7);
	extents.exclusive = 0x5500000000000000;
	const uint64_t words[] = { (BASE ^ 0x5500000000000000) | 3 };
	extents_look(&extents, words, 1);
	expect(1 << FIRST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan/extents");
	TCase *tests = tcase_create("extents");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, any_byte_counts_and_those_around_don_t);
	tcase_add_test(tests, an_end_counts_where_it_is_said_to);
	tcase_add_test(tests, an_end_and_a_start_count_as_both);
	tcase_add_test(tests, a_piece_leads_to_the_others);
	tcase_add_test(tests, each_is_read_once);
	tcase_add_test(tests, it_can_be_sorted_again);
	tcase_add_test(tests, words_in_what_is_ignored_lead_nowhere);
	tcase_add_test(tests, disguised_words_count_as_well);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
