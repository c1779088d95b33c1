/* Which numbers of descriptors the program still knows. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "registry/opened.h"
#include "reporter/scan/numbers.h"

#include "testprogs/unit/suite.h"

#define COUNT 4u

/* Open are 5, 70, 4000 and one that is too high to be looked for. */
static struct numbers *four(void)
{
	static const uint64_t open[COUNT] = { 5, 70, 4000, NUMBERS_MOST };
	static struct rec_hold holds[COUNT + 1];
	for (unsigned i = 0; i < COUNT; i++)
		holds[i] = (struct rec_hold){ .kind = KIND_DESCRIPTOR, .handle = open[i] };
	/* Not a descriptor, whatever its handle is. */
	holds[COUNT] = (struct rec_hold){ .kind = KIND_RESOURCE, .handle = 9 };
	struct snapshot snapshot = { .resources = holds, .resource_count = COUNT + 1 };
	struct numbers *numbers = numbers_make(&snapshot);
	ck_assert_ptr_nonnull(numbers);
	return numbers;
}

START_TEST(an_int_in_either_half_of_a_word_counts)
{
	struct numbers *numbers = four();
	const uint64_t words[] = { 70, UINT64_C(4000) << 32 | 0xffffffff, UINT64_C(9) << 32 };
	ck_assert(!numbers_known(numbers, 70));
	numbers_look(numbers, words, 3);
	ck_assert(numbers_known(numbers, 70));
	ck_assert(numbers_known(numbers, 4000));
	ck_assert(!numbers_known(numbers, 5));
	ck_assert(!numbers_known(numbers, 9));
	numbers_free(numbers);
}
END_TEST

START_TEST(more_than_an_int_is_another_number)
{
	struct numbers *numbers = four();
	const uint64_t words[] = { 0x500000046, UINT64_C(0x80000000) + 70 };
	numbers_look(numbers, words, 2);
	ck_assert(numbers_known(numbers, 5));
	ck_assert(numbers_known(numbers, 70)); /* two ints side by side are what a word mostly is */
	numbers_free(numbers);
	numbers = four();
	numbers_look(numbers, &words[1], 1);
	ck_assert(!numbers_known(numbers, 70));
	numbers_free(numbers);
}
END_TEST

START_TEST(values_that_carry_their_type_count)
{
	static const struct {
		uint64_t word, number;
	} values[] = {
		{ 2 * 4000 + 1, 4000 }, { 2 * 70, 70 }, { 4 * 70 + 2, 70 }, { 0x4014000000000000, 5 }
	};
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
		struct numbers *numbers = four();
		numbers_look(numbers, &values[i].word, 1);
		ck_assert(numbers_known(numbers, values[i].number));
		numbers_free(numbers);
	}
	/* 5.5, and a word of which only a half would be one. */
	const uint64_t others[] = { 0x4016000000000000, UINT64_C(1) << 32 | 141 };
	struct numbers *numbers = four();
	numbers_look(numbers, others, 2);
	ck_assert(!numbers_known(numbers, 5));
	ck_assert(!numbers_known(numbers, 70));
	numbers_free(numbers);
}
END_TEST

START_TEST(shorts_count_where_all_of_a_word_may_be_such)
{
	struct numbers *numbers = four();
	const uint64_t words[] = { 0xffff000000050007, UINT64_C(70) << 48 | UINT64_C(0x8123) << 16,
				   UINT64_C(0x7f12) << 32 | 4000 << 16 | 9 };
	numbers_look(numbers, words, 3);
	ck_assert(numbers_known(numbers, 5));
	ck_assert(!numbers_known(numbers, 70));
	ck_assert(!numbers_known(numbers, 4000));
	numbers_free(numbers);
}
END_TEST

START_TEST(a_text_of_its_own_counts)
{
	struct numbers *numbers = four();
	const char texts[][8] = { "70", "4000 a", "70x" };
	uint64_t word;
	for (unsigned i = 1; i < 3; i++) {
		memcpy(&word, texts[i], sizeof word);
		numbers_look(numbers, &word, 1);
	}
	ck_assert(!numbers_known(numbers, 70));
	ck_assert(!numbers_known(numbers, 4000));
	memcpy(&word, texts[0], sizeof word);
	numbers_look(numbers, &word, 1);
	ck_assert(numbers_known(numbers, 70));
	numbers_free(numbers);
}
END_TEST

START_TEST(a_number_is_lost_that_is_open_and_has_no_lock)
{
	int ends[2];
	char name[] = "/tmp/numbers.XXXXXX", target[64];
	struct text text = TEXT_OF(target);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(numbers_lose(getpid(), (uint64_t)ends[0]));
	ck_assert(numbers_target(getpid(), (uint64_t)ends[0], &text));
	ck_assert_str_eq(target, "pipe");
	close(ends[0]);
	close(ends[1]);
	ck_assert(!numbers_lose(getpid(), (uint64_t)ends[0]));
	int locked = mkstemp(name);
	unlink(name);
	ck_assert(numbers_lose(getpid(), (uint64_t)locked));
	ck_assert_int_eq(flock(locked, LOCK_EX), 0);
	ck_assert(!numbers_lose(getpid(), (uint64_t)locked));
	close(locked);
}
END_TEST

START_TEST(what_was_waited_for_by_its_bit_counts_until_it_is_opened_anew)
{
	opened_met(64, 1 << (70 - 64));
	struct numbers *numbers = four();
	ck_assert(numbers_known(numbers, 70));
	ck_assert(!numbers_known(numbers, 5));
	numbers_free(numbers);
	opened_unmet(70);
	numbers = four();
	ck_assert(!numbers_known(numbers, 70));
	numbers_free(numbers);
}
END_TEST

START_TEST(what_is_ignored_counts_for_nothing)
{
	struct numbers *numbers = four();
	const uint64_t words[] = { 5, 70, 4000 };
	numbers_ignore(numbers, (uintptr_t)&words[1], (uintptr_t)&words[2]);
	numbers_look(numbers, words, 3);
	ck_assert(numbers_known(numbers, 5));
	ck_assert(!numbers_known(numbers, 70));
	ck_assert(numbers_known(numbers, 4000));
	numbers_free(numbers);
}
END_TEST

START_TEST(what_is_too_high_is_never_lost)
{
	struct numbers *numbers = four();
	ck_assert(numbers_known(numbers, NUMBERS_MOST));
	ck_assert(numbers_known(numbers, UINT64_MAX));
	numbers_free(numbers);
}
END_TEST

START_TEST(where_nothing_is_open_nothing_is_looked_for)
{
	struct snapshot none = { 0 };
	ck_assert_ptr_null(numbers_make(&none));
	numbers_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan/numbers");
	TCase *tests = tcase_create("numbers");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, an_int_in_either_half_of_a_word_counts);
	tcase_add_test(tests, values_that_carry_their_type_count);
	tcase_add_test(tests, shorts_count_where_all_of_a_word_may_be_such);
	tcase_add_test(tests, a_text_of_its_own_counts);
	tcase_add_test(tests, a_number_is_lost_that_is_open_and_has_no_lock);
	tcase_add_test(tests, what_was_waited_for_by_its_bit_counts_until_it_is_opened_anew);
	tcase_add_test(tests, more_than_an_int_is_another_number);
	tcase_add_test(tests, what_is_ignored_counts_for_nothing);
	tcase_add_test(tests, what_is_too_high_is_never_lost);
	tcase_add_test(tests, where_nothing_is_open_nothing_is_looked_for);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
