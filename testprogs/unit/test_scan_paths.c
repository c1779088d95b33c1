/* The ways from roots to blocks, on heaps built by hand. */
#include "scan_heap.h"

#include <stdlib.h>

#include "reporter/scan/paths.h"

#include "suite.h"

static struct heap_of_test heap;
static uint64_t roots[4];

static void find(struct paths *paths)
{
	ck_assert_int_eq(paths_init(paths, &heap.blocks, 0), 0);
	mark_words(&paths->mark, roots, COUNT_OF(roots), MARK_OF_PROGRAM);
	ck_assert_int_eq(paths_find(paths), 0);
}

static uint32_t rank_by_place(uint64_t place, void *data)
{
	return place == (uint64_t)(uintptr_t)data ? 2 : 1;
}

static void setup(void)
{
	memset(roots, 0, sizeof roots);
	heap_build(&heap, 8, 48);
}

START_TEST(the_shortest_way_wins)
{
	/* 0 > 1 > 2 > 3, and 4 > 3. */
	struct paths paths;
	uint64_t start, place;
	for (unsigned i = 0; i < 3; i++)
		heap_point(&heap, i, 1, i + 1, 0);
	heap_point(&heap, 4, 5, 3, 7);
	roots[0] = heap_address(&heap, 0);
	roots[2] = heap_address(&heap, 4) + 8;
	find(&paths);
	ck_assert_uint_eq(paths.reached_blocks, 5);
	ck_assert_uint_eq(paths.reached_bytes, 5 * 48);
	ck_assert(!paths_root(&paths, 3));
	ck_assert_uint_eq(paths_holder(&paths, 3, &start, &place), 4);
	ck_assert_uint_eq(place, (uint64_t)(uintptr_t)&heap.words[4][5]);
	ck_assert_uint_eq(paths_root(&paths, 4)->place, (uint64_t)(uintptr_t)&roots[2]);
	ck_assert_uint_eq(paths_holder(&paths, 2, &start, &place), 1);
	ck_assert(!paths_reach(&paths, 5));
	paths_release(&paths);
}
END_TEST

START_TEST(a_better_root_takes_the_place_of_a_worse_one)
{
	struct paths paths;
	roots[0] = roots[1] = roots[3] = heap_address(&heap, 2);
	ck_assert_int_eq(paths_init(&paths, &heap.blocks, 0), 0);
	paths.rank = rank_by_place;
	paths.data = &roots[1];
	mark_words(&paths.mark, roots, COUNT_OF(roots), MARK_OF_PROGRAM);
	ck_assert_int_eq(paths_find(&paths), 0);
	ck_assert_uint_eq(paths_root(&paths, 2)->place, (uint64_t)(uintptr_t)&roots[1]);
	ck_assert_uint_eq(paths.root_count, 1);
	paths_release(&paths);
}
END_TEST

START_TEST(what_is_left_out_leads_nowhere)
{
	/* 0 > 1 > 2 and 1 > 3; 4 > 3: without 1, 2 goes with it and 3 stays. 2 > 1 is a ring. */
	struct paths paths;
	heap_point(&heap, 0, 0, 1, 0);
	heap_point(&heap, 1, 0, 2, 0);
	heap_point(&heap, 1, 1, 3, 0);
	heap_point(&heap, 2, 0, 1, 0);
	heap_point(&heap, 4, 0, 3, 0);
	roots[0] = heap_address(&heap, 0);
	roots[1] = heap_address(&heap, 4);
	find(&paths);
	ck_assert_uint_eq(paths.reached_blocks, 5);
	paths_release(&paths);
	blocks_flag(&heap.blocks, 1, BLOCK_LEFT_OUT);
	find(&paths);
	ck_assert_uint_eq(paths.reached_blocks, 3);
	ck_assert(paths_reach(&paths, 3));
	ck_assert(!paths_reach(&paths, 2));
	ck_assert(!paths_reach(&paths, 1));
	/* A root that points to it is none. */
	roots[2] = heap_address(&heap, 1);
	paths_release(&paths);
	find(&paths);
	ck_assert_uint_eq(paths.reached_blocks, 3);
	paths_release(&paths);
	/* Marking leaves no trace of it. */
	for (unsigned i = 0; i < 8; i++)
		ck_assert(!heap_reached(&heap, i));
}
END_TEST

START_TEST(a_word_that_was_copied_is_where_it_was)
{
	struct paths paths;
	roots[1] = heap_address(&heap, 5);
	ck_assert_int_eq(paths_init(&paths, &heap.blocks, 0), 0);
	paths.mark.shift = UINT64_C(0x7000) - (uint64_t)(uintptr_t)roots;
	mark_words(&paths.mark, roots, COUNT_OF(roots), MARK_OF_PROGRAM);
	ck_assert_uint_eq(paths_root(&paths, 5)->place, 0x7008);
	paths_release(&paths);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan/paths");
	TCase *tests = tcase_create("all");
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_shortest_way_wins);
	tcase_add_test(tests, a_better_root_takes_the_place_of_a_worse_one);
	tcase_add_test(tests, what_is_left_out_leads_nowhere);
	tcase_add_test(tests, a_word_that_was_copied_is_where_it_was);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
