/*
 * Check (libcheck): a fixture around every test, which fails that test if something is left.
 *
 *     cc -g assertions_check.c -o tests $(pkg-config --cflags --libs check) && whoholds run ./tests
 *
 * Check runs each test in a child that it forks, and whoholds goes with it.
 */
#include <check.h>
#include <stdlib.h>

#include "cache.h"
#include "whoholds.h"

static wh_mark before;

static void remember(void)
{
	before = wh_now();
}

static void nothing_left(void)
{
	ck_assert_uint_eq(wh_lost_bytes_since(before), 0);
	ck_assert_int_eq(wh_open_since(before), 0);
}

START_TEST(put)
{
	struct cache *cache = cache_new();
	for (int i = 0; i < 10; i++)
		cache_put(cache, i % 2 ? "odd" : "even");
	ck_assert(cache_has(cache, "odd"));
	cache_free(cache);
}
END_TEST

START_TEST(has)
{
	static struct cache *cache;
	cache = cache_new();
	cache_put(cache, "known");
	ck_assert(!cache_has(cache, "unknown"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache");
	TCase *tests = tcase_create("cache");
	tcase_add_checked_fixture(tests, remember, nothing_left);
	tcase_add_test(tests, put);
	tcase_add_test(tests, has);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
