/* Blocks of a program's own pools: what is handed out, given back, handed out again, and goes with the memory around it. */
#include <check.h>
#include <stdlib.h>

#include "base/types.h"
#include "options.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/pool.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "registry/view.h"

/* No memory of ours: nobody looks at what lies at an address. */
#define POOL UINT64_C(0x23456000000)

/* Likewise, where a block of malloc's is. What had none around it lately is not looked at again at once. */
#define HEAP UINT64_C(0x24560000000)

static struct pool_freed before;

static void take(uint64_t address, uint64_t size)
{
	pool_begin(~address, size, 0);
}

static enum pool_was give(uint64_t address)
{
	return pool_end(address, 5, &before);
}

static bool is_live(uint64_t address)
{
	struct allocation known;
	bool found = pool_find(address, &known);
	ck_assert(!found || known.address == address);
	return found;
}

static bool count(const struct allocation *block, void *data)
{
	uint64_t *sum = data;
	*sum += block->size;
	return true;
}

static uint64_t live_bytes(void)
{
	uint64_t sum = 0;
	pool_each(count, &sum);
	return sum;
}

START_TEST(a_block_lives_until_it_is_given_back)
{
	ck_assert_int_eq(give(POOL), POOL_UNKNOWN);
	take(POOL, 64);
	take(POOL + 64, 40);
	struct allocation known;
	ck_assert(pool_find(POOL + 64, &known));
	ck_assert_uint_eq(known.size, 40);
	ck_assert(!is_live(POOL + 8));
	ck_assert_uint_eq(live_bytes(), 104);
	ck_assert_int_eq(give(POOL), POOL_LIVE);
	ck_assert(!is_live(POOL) && is_live(POOL + 64));
	ck_assert_uint_eq(live_bytes(), 40);
	pool_clear(POOL, 4096);
}
END_TEST

START_TEST(a_second_time_is_told_with_the_first)
{
	take(POOL, 64);
	give(POOL);
	ck_assert_int_eq(give(POOL), POOL_FREED);
	ck_assert_uint_eq(before.stack, 5);
	ck_assert_int_eq(give(POOL + 8), POOL_UNKNOWN);
	take(POOL, 64);
	ck_assert_int_eq(give(POOL), POOL_LIVE);
	/* Its memory is cut otherwise: it is not known any more. */
	take(POOL - 16, 64);
	ck_assert_int_eq(give(POOL), POOL_UNKNOWN);
	pool_clear(POOL - 4096, 8192);
}
END_TEST

START_TEST(what_lies_inside_goes_with_it)
{
	take(POOL, 1000);
	take(POOL + 16, 100);
	take(POOL + 600, 400);
	take(POOL + 1000, 8);
	ck_assert_int_eq(give(POOL), POOL_LIVE);
	ck_assert_uint_eq(live_bytes(), 8);
	ck_assert_int_eq(give(POOL + 16), POOL_UNKNOWN);
	take(POOL, 1000);
	take(POOL + 512, 100);
	take(POOL, 600); /* the pool forgot to say that it had been emptied */
	ck_assert_uint_eq(live_bytes(), 608);
	pool_clear(POOL, 4096);
	ck_assert_uint_eq(live_bytes(), 0);
}
END_TEST

START_TEST(memory_is_emptied_from_its_start_to_its_end)
{
	for (uint64_t i = 0; i < 1000; i++)
		take(POOL + i * 32, 32);
	pool_clear(POOL + 100 * 32, 800 * 32);
	ck_assert_uint_eq(live_bytes(), 200 * 32);
	ck_assert(is_live(POOL + 99 * 32) && !is_live(POOL + 100 * 32));
	ck_assert(!is_live(POOL + 899 * 32) && is_live(POOL + 900 * 32));
	pool_clear(POOL, 0);
	ck_assert_uint_eq(live_bytes(), 200 * 32);
	/* Larger than is worth going through line by line; and what can be no memory at all. */
	pool_clear(POOL - (UINT64_C(1) << 40), UINT64_C(1) << 42);
	ck_assert_uint_eq(live_bytes(), 0);
	take(POOL, 32);
	pool_clear(0, UINT64_MAX);
	take(POOL + 64, UINT64_MAX);
	ck_assert_uint_eq(live_bytes(), 32);
	pool_clear(POOL, 32);
}
END_TEST

START_TEST(records_are_used_again)
{
	for (unsigned round = 0; round < 100; round++) {
		for (uint64_t i = 0; i < 100; i++)
			take(POOL + round * 4096 + i * 40, 40);
		pool_clear(POOL + round * 4096, 4096);
	}
	ck_assert_uint_eq(live_bytes(), 0);
	ck_assert_uint_le(pool_count(), 1100);
}
END_TEST

START_TEST(the_block_around_it_is_to_tell)
{
	struct allocation around;
	allocation_begin(~HEAP, 4096, ALLOCATED_MALLOC, 0, 0);
	take(HEAP + 128, 64);
	ck_assert(allocation_end((void *)(uintptr_t)HEAP, &around));
	ck_assert(around.flags & ALLOCATION_POOL);
	ck_assert_uint_eq(pool_resized(&around, HEAP, 4000), ALLOCATION_POOL);
	ck_assert(is_live(HEAP + 128));
	ck_assert_uint_eq(pool_resized(&around, HEAP, 100), ALLOCATION_POOL);
	ck_assert(!is_live(HEAP + 128));
	take(HEAP + 128, 64);
	ck_assert_uint_eq(pool_resized(&around, HEAP + 8192, 4096), 0);
	ck_assert(!is_live(HEAP + 128));
	pool_clear(HEAP, 4096);
}
END_TEST

START_TEST(another_block_at_its_place_is_marked_anew)
{
	const uint64_t at = HEAP + (1 << 20);
	struct allocation around;
	for (unsigned i = 0; i < 3; i++) {
		allocation_begin(~at, 4096, ALLOCATED_MALLOC, 0, 0);
		take(at + 256, 64);
		take(at + 512, 64);
		ck_assert(allocation_end((void *)(uintptr_t)at, &around));
		ck_assert(around.flags & ALLOCATION_POOL);
		ck_assert_uint_eq(around.size, 4096);
		pool_clear(at, 4096);
	}
}
END_TEST

START_TEST(there_is_an_end_of_all_addresses)
{
	take(POOL, 64);
	pool_clear(UINT64_MAX - 511, 511);
	pool_clear(UINT64_MAX - 100, 4096);
	ck_assert(is_live(POOL));
	pool_clear(POOL, 4096);
}
END_TEST

START_TEST(a_forked_child_knows_none)
{
	take(POOL, 64);
	pool_fork_child();
	ck_assert(!pool_any() && !is_live(POOL));
	ck_assert_int_eq(give(POOL), POOL_UNKNOWN);
	take(POOL, 64);
	ck_assert(is_live(POOL));
	/* Who has missed something judges nothing from then on. */
	ck_assert_uint_gt(pool_count(), 0);
	pool_missed();
	ck_assert_uint_eq(pool_count(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tests = tcase_create("blocks");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_block_lives_until_it_is_given_back);
	tcase_add_test(tests, a_second_time_is_told_with_the_first);
	tcase_add_test(tests, what_lies_inside_goes_with_it);
	tcase_add_test(tests, memory_is_emptied_from_its_start_to_its_end);
	tcase_add_test(tests, records_are_used_again);
	tcase_add_test(tests, the_block_around_it_is_to_tell);
	tcase_add_test(tests, another_block_at_its_place_is_marked_anew);
	tcase_add_test(tests, there_is_an_end_of_all_addresses);
	tcase_add_test(tests, a_forked_child_knows_none);
	options_init(&options);
	recording_configure(NULL, NULL);
	SRunner *runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	if (!address_map_ready() || recording_open() != 0)
		return EXIT_FAILURE;
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	recording_unlink();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
