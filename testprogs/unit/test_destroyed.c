/* The table of who destroyed a lock or a condition. */
#include <check.h>

#include "registry/destroyed.h"

#include "testprogs/unit/suite.h"

#define MUTEX UINT64_C(0x12345000040)

static const struct rec_misuse_part first = { .at = 7, .thread = 3 }, second = { .at = 8, .thread = 4 };

START_TEST(what_was_noted_last_is_found)
{
	struct rec_misuse_part by = { 0 };
	uint64_t state;
	ck_assert(!destroyed_find(KIND_MUTEX, MUTEX, &state, &by));
	destroyed_note(KIND_MUTEX, MUTEX, 0, &first);
	ck_assert(destroyed_find(KIND_MUTEX, MUTEX, &state, &by));
	ck_assert_uint_eq(by.thread, 3);
	destroyed_note(KIND_MUTEX, MUTEX, 0, &second);
	ck_assert(destroyed_find(KIND_MUTEX, MUTEX, &state, &by));
	ck_assert_uint_eq(by.thread, 4);
	ck_assert_uint_eq(by.at, 8);
}
END_TEST

START_TEST(another_mutex_is_not_mistaken_for_it)
{
	struct rec_misuse_part by = { 0 };
	uint64_t state;
	destroyed_note(KIND_MUTEX, MUTEX, 0, &first);
	/* More than there is room for: some take the place of others, and none is found for another. */
	for (uint64_t i = 1; i <= 4 * DESTROYED_MOST; i++)
		destroyed_note(KIND_MUTEX, MUTEX + i * 40, 0, &(struct rec_misuse_part){ .at = (nsec_t)i });
	unsigned found = 0;
	for (uint64_t i = 1; i <= 4 * DESTROYED_MOST; i++) {
		if (!destroyed_find(KIND_MUTEX, MUTEX + i * 40, &state, &by))
			continue;
		ck_assert_uint_eq(by.at, i);
		found++;
	}
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_le(found, DESTROYED_MOST);
}
END_TEST

START_TEST(another_kind_there_is_not_mistaken_for_it)
{
	struct rec_misuse_part by = { 0 };
	uint64_t state;
	destroyed_note(KIND_MUTEX, MUTEX, 0, &first);
	ck_assert(!destroyed_find(KIND_COND, MUTEX, &state, &by));
	destroyed_forget(KIND_COND, MUTEX);
	ck_assert(destroyed_find(KIND_MUTEX, MUTEX, &state, &by));
	ck_assert(!destroyed_rwlocks);
	destroyed_note(KIND_RWLOCK, MUTEX, 77, &second);
	ck_assert(destroyed_rwlocks);
	ck_assert(!destroyed_find(KIND_MUTEX, MUTEX, &state, &by));
	ck_assert(destroyed_find(KIND_RWLOCK, MUTEX, &state, &by));
	ck_assert_uint_eq(state, 77);
}
END_TEST

START_TEST(what_is_initialised_anew_is_forgotten)
{
	struct rec_misuse_part by = { 0 };
	uint64_t state;
	destroyed_note(KIND_RWLOCK, MUTEX, 77, &first);
	ck_assert(destroyed_maybe(MUTEX));
	destroyed_forget(KIND_RWLOCK, MUTEX);
	ck_assert(!destroyed_maybe(MUTEX));
	ck_assert(!destroyed_find(KIND_RWLOCK, MUTEX, &state, &by));
}
END_TEST

START_TEST(a_forked_child_starts_with_none)
{
	struct rec_misuse_part by = { 0 };
	uint64_t state;
	destroyed_note(KIND_MUTEX, MUTEX, 0, &first);
	destroyed_fork_child();
	ck_assert(!destroyed_find(KIND_MUTEX, MUTEX, &state, &by));
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
	tcase_add_test(tcase, another_kind_there_is_not_mistaken_for_it);
	tcase_add_test(tcase, what_is_initialised_anew_is_forgotten);
	tcase_add_test(tcase, a_forked_child_starts_with_none);
	return suite_run(suite) != 0;
}
