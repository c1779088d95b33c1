/* How lost blocks are told: what is lost directly, what is dragged along, and rings, once each. */
#include "scan_heap.h"
#include "suite.h"

#include <stdlib.h>

static struct heap_of_test heap;
static struct group room[HEAP_BLOCKS];
static struct groups groups;

/* Groups what is lost; every lost block must be counted exactly once. */
static void make(void)
{
	groups = (struct groups){ .at = room, .room = HEAP_BLOCKS };
	groups_make(&groups, &heap.blocks, 0);
	ck_assert(!groups.failed);
	uint64_t lost = 0, lost_bytes = 0, told = 0, told_bytes = 0;
	for (uint64_t i = 0; i < heap.blocks.count; i++)
		if (!heap_reached(&heap, (unsigned)i)) {
			lost++;
			lost_bytes += heap.at[i].bytes;
		}
	for (uint64_t i = 0; i < groups.count; i++) {
		told += groups.at[i].count + groups.at[i].indirect_count;
		told_bytes += groups.at[i].bytes + groups.at[i].indirect_bytes;
	}
	ck_assert_uint_eq(told, lost);
	ck_assert_uint_eq(told_bytes, lost_bytes);
}

static void expect(unsigned number, site_id site, uint64_t count, uint64_t indirect, bool cycle)
{
	ck_assert_uint_lt(number, groups.count);
	ck_assert_uint_eq(groups.at[number].site, site);
	ck_assert_uint_eq(groups.at[number].count, count);
	ck_assert_uint_eq(groups.at[number].indirect_count, indirect);
	ck_assert_int_eq(groups.at[number].cycle, cycle);
}

START_TEST(nothing_lost)
{
	heap_build(&heap, 2, 16);
	heap_point(&heap, 0, 0, 1, 0);
	heap_mark(&heap, heap_address(&heap, 0));
	make();
	ck_assert_uint_eq(groups.count, 0);
}
END_TEST

START_TEST(no_blocks_at_all)
{
	heap_build(&heap, 0, 16);
	make();
	ck_assert_uint_eq(groups.count, 0);
}
END_TEST

START_TEST(a_chain_is_lost_with_its_head)
{
	heap_build(&heap, 10, 24);
	/* Against the order of addresses, so that blocks are met before what points to them. */
	for (unsigned i = 1; i < 10; i++)
		heap_point(&heap, i, 0, i - 1, 0);
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 1, 9, false);
	ck_assert_uint_eq(groups.at[0].bytes, 24);
	ck_assert_uint_eq(groups.at[0].indirect_bytes, 9 * 24);
}
END_TEST

START_TEST(a_tree_is_lost_with_its_root)
{
	heap_build(&heap, 31, 24);
	for (unsigned i = 0; i < 15; i++) {
		heap_point(&heap, i, 0, 2 * i + 1, 0);
		heap_point(&heap, i, 1, 2 * i + 2, 0);
	}
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 1, 30, false);
}
END_TEST

START_TEST(a_ring_is_one_loss)
{
	heap_build(&heap, 5, 16);
	for (unsigned i = 0; i < 5; i++)
		heap_point(&heap, i, 1, (i + 1) % 5, 0);
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 5, 0, true);
}
END_TEST

START_TEST(a_ring_drags_its_tail)
{
	heap_build(&heap, 8, 24);
	for (unsigned i = 0; i < 4; i++)
		heap_point(&heap, i, 1, (i + 1) % 4, 0);
	heap_point(&heap, 2, 2, 4, 0);
	for (unsigned i = 4; i < 7; i++)
		heap_point(&heap, i, 0, i + 1, 0);
	for (unsigned i = 4; i < 8; i++)
		heap.at[i].site = 2;
	heap.blocks.sites = 3;
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 4, 4, true);
}
END_TEST

START_TEST(a_ring_behind_a_head_is_dragged_along)
{
	heap_build(&heap, 5, 24);
	for (unsigned i = 0; i < 4; i++)
		heap_point(&heap, i, 1, (i + 1) % 4, 0);
	heap_point(&heap, 4, 0, 1, 8);
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 1, 4, false);
}
END_TEST

START_TEST(what_two_rings_share_is_counted_once)
{
	heap_build(&heap, 7, 24);
	heap_point(&heap, 0, 0, 1, 0);
	heap_point(&heap, 1, 0, 0, 0);
	heap_point(&heap, 2, 0, 3, 0);
	heap_point(&heap, 3, 0, 2, 0);
	heap.at[2].site = heap.at[3].site = 2;
	heap_point(&heap, 0, 1, 4, 0);
	heap_point(&heap, 2, 1, 4, 0);
	heap_point(&heap, 4, 0, 5, 0);
	heap_point(&heap, 5, 0, 6, 0);
	heap.blocks.sites = 3;
	make();
	ck_assert_uint_eq(groups.count, 2);
	ck_assert_uint_eq(groups.at[0].count, 2);
	ck_assert_uint_eq(groups.at[1].count, 2);
	ck_assert(groups.at[0].cycle && groups.at[1].cycle);
	ck_assert_uint_eq(groups.at[0].indirect_count + groups.at[1].indirect_count, 3);
}
END_TEST

START_TEST(rings_that_share_a_block_are_one)
{
	heap_build(&heap, 5, 24);
	heap_point(&heap, 0, 0, 1, 0);
	heap_point(&heap, 1, 0, 2, 0);
	heap_point(&heap, 2, 0, 0, 0);
	heap_point(&heap, 2, 1, 3, 0);
	heap_point(&heap, 3, 0, 4, 0);
	heap_point(&heap, 4, 0, 2, 0);
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 5, 0, true);
}
END_TEST

/* std::string and empty list heads do that; it is no ring. */
START_TEST(a_pointer_to_itself_is_no_ring)
{
	heap_build(&heap, 2, 32);
	heap_point(&heap, 0, 0, 0, 16);
	heap_point(&heap, 1, 2, 1, 0);
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 2, 0, false);
}
END_TEST

START_TEST(sites_are_told_apart_the_largest_first)
{
	heap_build(&heap, 6, 16);
	for (unsigned i = 0; i < 6; i++)
		heap.at[i].site = i < 1 ? 7 : i < 3 ? 2 : 4;
	heap.blocks.sites = 8;
	make();
	ck_assert_uint_eq(groups.count, 3);
	expect(0, 4, 3, 0, false);
	expect(1, 2, 2, 0, false);
	expect(2, 7, 1, 0, false);
}
END_TEST

/* Nodes and their keys point to each other; most bytes are the nodes'. */
START_TEST(a_ring_of_two_sites_counts_for_the_larger)
{
	heap_build(&heap, 4, 24);
	for (unsigned i = 0; i < 4; i++)
		heap_point(&heap, i, 0, (i + 1) % 4, 0);
	heap.at[0].bytes = 8;
	heap.at[0].site = heap.at[2].site = 5;
	heap.at[2].bytes = 8;
	heap.at[1].site = heap.at[3].site = 3;
	heap.blocks.sites = 6;
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 3, 4, 0, true);
	ck_assert_uint_eq(groups.at[0].others[0], 5);
	ck_assert_uint_eq(groups.at[0].others[1], 0);
}
END_TEST

START_TEST(blocks_of_no_known_site_are_told)
{
	heap_build(&heap, 3, 16);
	for (unsigned i = 0; i < 3; i++)
		heap.at[i].site = 0;
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 0, 3, 0, false);
}
END_TEST

START_TEST(the_thread_is_told_where_it_is_one)
{
	heap_build(&heap, 3, 16);
	heap.at[2].site = 2;
	heap.blocks.sites = 3;
	heap.at[0].thread = 5;
	heap.at[1].thread = 6;
	heap.at[2].thread = 9;
	make();
	ck_assert_uint_eq(groups.count, 2);
	ck_assert(groups.at[0].threads_differ);
	ck_assert(!groups.at[1].threads_differ);
	ck_assert_uint_eq(groups.at[1].thread, 9);
}
END_TEST

START_TEST(what_is_reached_is_not_dragged)
{
	heap_build(&heap, 4, 24);
	heap_point(&heap, 0, 0, 1, 0); /* lost, points to 1, which is reached and points to 2 */
	heap_point(&heap, 1, 0, 2, 0);
	heap_point(&heap, 0, 1, 3, 0);
	heap_mark(&heap, heap_address(&heap, 1));
	make();
	ck_assert_uint_eq(groups.count, 1);
	expect(0, 1, 1, 1, false);
}
END_TEST

/*
 * Random graphs against the definition: a block is direct where it can be reached from no
 * lost block but those that it can reach itself.
 */
START_TEST(random_graphs_agree_with_the_definition)
{
	static bool reach[HEAP_BLOCKS][HEAP_BLOCKS];
	unsigned seed = (unsigned)_i + 1;
	unsigned count = 2 + (unsigned)rand_r(&seed) % 30;
	heap_build(&heap, count, 32);
	memset(reach, 0, sizeof reach);
	unsigned edges = (unsigned)rand_r(&seed) % (count * 2);
	for (unsigned i = 0; i < edges; i++) {
		unsigned from = (unsigned)rand_r(&seed) % count, to = (unsigned)rand_r(&seed) % count;
		unsigned word = (unsigned)rand_r(&seed) % 4;
		heap_point(&heap, from, word, to, 8 * ((unsigned)rand_r(&seed) % 4));
	}
	for (unsigned i = 0; i < count; i++) {
		reach[i][i] = true;
		for (unsigned word = 0; word < 4; word++) {
			uint32_t to = blocks_find(&heap.blocks, heap.words[i][word]);
			if (to != BLOCK_NONE)
				reach[i][to] = true;
		}
	}
	for (unsigned k = 0; k < count; k++)
		for (unsigned i = 0; i < count; i++)
			for (unsigned j = 0; j < count; j++)
				reach[i][j] |= reach[i][k] && reach[k][j];
	uint64_t direct = 0;
	for (unsigned i = 0; i < count; i++) {
		bool is_direct = true;
		for (unsigned j = 0; j < count; j++)
			is_direct &= !reach[j][i] || reach[i][j];
		direct += is_direct;
	}
	make();
	ck_assert_uint_eq(groups.count, 1);
	ck_assert_uint_eq(groups.at[0].count, direct);
}
END_TEST

/* A list of a million blocks needs no stack of a million frames. */
START_TEST(a_long_list_is_walked_without_recursion)
{
	const unsigned count = 1000000;
	uint64_t(*words)[2] = calloc(count, sizeof *words);
	ck_assert_ptr_nonnull(words);
	struct block *at = calloc(count, sizeof *at);
	ck_assert_ptr_nonnull(at);
	struct blocks blocks = { 0 };
	for (unsigned i = 0; i < count; i++) {
		at[i] = (struct block){ .start = (uint64_t)(uintptr_t)words[i], .bytes = 16, .site = 1 };
		words[i][0] = (uint64_t)(uintptr_t)words[(i + 1) % count];
	}
	facts_enter(&blocks, at, count);
	groups = (struct groups){ .at = room, .room = HEAP_BLOCKS };
	groups_make(&groups, &blocks, 0);
	ck_assert(!groups.failed);
	ck_assert_uint_eq(groups.count, 1);
	ck_assert_uint_eq(groups.at[0].count, count);
	ck_assert(groups.at[0].cycle);
	blocks_release(&blocks);
	free(at);
	free(words);
}
END_TEST

START_TEST(no_time_means_no_verdict)
{
	const unsigned count = 200000;
	uint64_t(*words)[2] = calloc(count, sizeof *words);
	ck_assert_ptr_nonnull(words);
	struct block *at = calloc(count, sizeof *at);
	ck_assert_ptr_nonnull(at);
	struct blocks blocks = { 0 };
	for (unsigned i = 0; i < count; i++)
		at[i] = (struct block){ .start = (uint64_t)(uintptr_t)words[i], .bytes = 16, .site = 1 };
	facts_enter(&blocks, at, count);
	groups = (struct groups){ .at = room, .room = HEAP_BLOCKS };
	groups_make(&groups, &blocks, 1);
	ck_assert(groups.failed);
	blocks_release(&blocks);
	free(at);
	free(words);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan_group");
	TCase *tests = tcase_create("group");
	tcase_add_test(tests, nothing_lost);
	tcase_add_test(tests, no_blocks_at_all);
	tcase_add_test(tests, a_chain_is_lost_with_its_head);
	tcase_add_test(tests, a_tree_is_lost_with_its_root);
	tcase_add_test(tests, a_ring_is_one_loss);
	tcase_add_test(tests, a_ring_drags_its_tail);
	tcase_add_test(tests, a_ring_behind_a_head_is_dragged_along);
	tcase_add_test(tests, what_two_rings_share_is_counted_once);
	tcase_add_test(tests, rings_that_share_a_block_are_one);
	tcase_add_test(tests, a_pointer_to_itself_is_no_ring);
	tcase_add_test(tests, sites_are_told_apart_the_largest_first);
	tcase_add_test(tests, a_ring_of_two_sites_counts_for_the_larger);
	tcase_add_test(tests, blocks_of_no_known_site_are_told);
	tcase_add_test(tests, the_thread_is_told_where_it_is_one);
	tcase_add_test(tests, what_is_reached_is_not_dragged);
	tcase_add_loop_test(tests, random_graphs_agree_with_the_definition, 0, 500);
	tcase_add_test(tests, a_long_list_is_walked_without_recursion);
	tcase_add_test(tests, no_time_means_no_verdict);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
