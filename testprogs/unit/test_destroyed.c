/* The table of who destroyed a mutex. */
#include <check.h>

#include "registry/destroyed.h"

#include "testprogs/unit/suite.h"

#define MUTEX UINT64_C(0x12345000040)

static const struct rec_misuse_part first = { .at = 7, .thread = 3 }, second = { .at = 8, .thread = 4 };

START_TEST(what_was_noted_last_is_found)
{
	struct rec_misuse_part by = { 0 };
	ck_assert(!destroyed_find(MUTEX, &by));
	destroyed_note(MUTEX, &first);
	ck_assert(destroyed_find(MUTEX, &by));
	ck_assert_uint_eq(by.thread, 3);
	destroyed_note(MUTEX, &second);
	ck_assert(destroyed_find(MUTEX, &by));
	ck_assert_uint_eq(by.thread, 4);
	ck_assert_uint_eq(by.at, 8);
}
END_TEST

START_TEST(another_mutex_is_not_mistaken_for_it)
{
	struct rec_misuse_part by = { 0 };
	destroyed_note(MUTEX, &first);
	/* More than there is room for: some take the place of others, and none is found for another. */
	for (uint64_t i = 1; i <= 4 * DESTROYED_MOST; i++)
		destroyed_note(MUTEX + i * 40, &(struct rec_misuse_part){ .at = (nsec_t)i });
	unsigned found = 0;
	for (uint64_t i = 1; i <= 4 * DESTROYED_MOST; i++) {
		if (!destroyed_find(MUTEX + i * 40, &by))
			continue;
		ck_assert_uint_eq(by.at, i);
		found++;
	}
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_le(found, DESTROYED_MOST);
}
END_TEST

START_TEST(a_forked_child_starts_with_none)
{
	struct rec_misuse_part by = { 0 };
	destroyed_note(MUTEX, &first);
	destroyed_fork_child();
	ck_assert(!destroyed_find(MUTEX, &by));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("destroyed");
	TCase *tcase = tcase_create("destroyed");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, destroyed_fork_child, NULL);
	tcase_add_test(tcase, what_was_noted_last_is_found);
	tcase_add_test(tcase, another_mutex_is_not_mistaken_for_it);
	tcase_add_test(tcase, a_forked_child_starts_with_none);
	return suite_run(suite) != 0;
}
