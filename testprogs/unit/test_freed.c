/* What is left of blocks that are gone: the traces in the map of addresses, in a forked child as well, and who freed them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "platform/sys.h"
#include "registry/address_map.h"
#include "registry/freed.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "registry/view.h"

#include "testprogs/unit/suite.h"

/* No memory of ours: the map never looks at what lies at an address. */
#define HEAP UINT64_C(0x12345000000)

static uint32_t put(uint64_t address, uint32_t number)
{
	uint32_t stale;
	ck_assert(address_map_put(address, number, &stale));
	return stale;
}

static bool was_freed(uint64_t address, uint32_t expected_site)
{
	uint32_t site = ~0u;
	bool was = address_map_was_freed(address, &site);
	if (was)
		ck_assert_uint_eq(site, expected_site);
	return was;
}

START_TEST(a_freed_block_leaves_its_site)
{
	ck_assert_uint_eq(put(HEAP, 5), 0);
	ck_assert(!was_freed(HEAP, 0));
	address_map_freed(HEAP, 77);
	ck_assert(was_freed(HEAP, 77));
	ck_assert_uint_eq(address_map_find(HEAP), 0);
	ck_assert(!was_freed(HEAP + 16, 0));
	ck_assert(!was_freed(HEAP + 32, 0));
}
END_TEST

START_TEST(another_block_ends_the_trace)
{
	put(HEAP, 5);
	address_map_freed(HEAP, 77);
	ck_assert_uint_eq(put(HEAP, 6), 0);
	ck_assert_uint_eq(address_map_find(HEAP), 6);
	ck_assert(!was_freed(HEAP, 0));
	/* One that begins in the same window takes its place, too. */
	address_map_freed(HEAP, 77);
	ck_assert_uint_eq(put(HEAP + 16, 7), 0);
	ck_assert(!was_freed(HEAP, 0));
	ck_assert_uint_eq(address_map_find(HEAP + 16), 7);
	address_map_freed(HEAP + 16, 0);
}
END_TEST

START_TEST(a_trace_is_no_block)
{
	uint64_t start;
	put(HEAP + 4096, 8);
	put(HEAP + 4096 + 64, 9);
	address_map_freed(HEAP + 4096 + 64, 3);
	ck_assert_uint_eq(address_map_below(HEAP + 4096 + 80, 1 << 20, &start), 8);
	ck_assert_uint_eq(start, HEAP + 4096);
	address_map_freed(HEAP + 4096, 3);
	ck_assert_uint_eq(address_map_below(HEAP + 4096 + 80, 256, &start), 0);
}
END_TEST

START_TEST(blocks_that_share_a_window_leave_a_trace_each)
{
	const uint64_t at = HEAP + 8192;
	for (unsigned i = 0; i < 4; i++)
		put(at + 8 * i, 20 + i);
	for (unsigned i = 0; i < 4; i++) {
		address_map_freed(at + 8 * i, 30 + i);
		for (unsigned j = 0; j < 4; j++) {
			ck_assert_uint_eq(address_map_find(at + 8 * j), j <= i ? 0 : 20 + j);
			ck_assert(j <= i ? was_freed(at + 8 * j, 30 + j) : !was_freed(at + 8 * j, 0));
		}
	}
}
END_TEST

START_TEST(just_behind_its_start_a_block_is_not_met)
{
	const uint64_t at = HEAP + 20480;
	put(at, 10);
	put(at + 16, 11); /* in the same window */
	for (unsigned i = 1; i < 8; i++) {
		ck_assert_uint_eq(address_map_find(at + i), 0);
		ck_assert_uint_eq(address_map_find(at + 16 + i), 0);
		address_map_freed(at + i, 1);
	}
	ck_assert_uint_eq(address_map_find(at), 10);
	address_map_freed(at, 1);
	address_map_freed(at + 16, 2);
	for (unsigned i = 1; i < 8; i++)
		ck_assert(!was_freed(at + i, 0) && !was_freed(at + 16 + i, 0));
	ck_assert(was_freed(at, 1) && was_freed(at + 16, 2));
	/* Some allocators give such addresses; two of theirs do not lie so near to each other. */
	address_map_shared = true;
	put(at + 4, 12);
	ck_assert_uint_eq(address_map_find(at + 4), 12);
	address_map_freed(at + 4, 3);
	ck_assert(was_freed(at + 4, 3));
	address_map_shared = false;
}
END_TEST

START_TEST(who_is_given_it_unseen_ends_the_trace)
{
	const uint64_t at = HEAP + 12288;
	put(at, 10);
	put(at + 8, 11);
	address_map_freed(at, 1);
	address_map_freed(at + 8, 2);
	address_map_unseen(at + 8);
	ck_assert(was_freed(at, 1));
	ck_assert(!was_freed(at + 8, 0));
	address_map_unseen(at);
	ck_assert(!was_freed(at, 0));
	address_map_unseen(at); /* nothing there: no harm */
	address_map_unseen(HEAP + (UINT64_C(1) << 40));
}
END_TEST

/* As in a child: the map is the child's own, and empty; the parent's answers aside. */
START_TEST(a_forked_child_knows_what_its_parent_freed)
{
	const uint64_t at = HEAP + 16384;
	put(at, 12);
	put(at + 64, 13);
	put(at + 128, 14);
	put(at + 136, 15);
	address_map_freed(at + 64, 5);
	address_map_freed(at + 136, 5);
	ck_assert_int_eq(address_map_inherited(at, false), ADDRESS_UNKNOWN);
	address_map_fork_child();
	ck_assert_uint_eq(address_map_find(at), 0);
	ck_assert(!was_freed(at + 64, 0));
	ck_assert(address_map_ready());
	ck_assert_int_eq(address_map_inherited(at + 64, true), ADDRESS_FREED);
	ck_assert_int_eq(address_map_inherited(at + 136, true), ADDRESS_FREED);
	ck_assert_int_eq(address_map_inherited(at + 128, true), ADDRESS_LIVE);
	ck_assert_int_eq(address_map_inherited(at + 128, true), ADDRESS_FREED);
	ck_assert_int_eq(address_map_inherited(at + 16, true), ADDRESS_UNKNOWN);
	ck_assert_int_eq(address_map_inherited(at + 4096 * 64, true), ADDRESS_UNKNOWN);
	/* Asked only, it stays what it is. */
	ck_assert_int_eq(address_map_inherited(at, false), ADDRESS_LIVE);
	ck_assert_int_eq(address_map_inherited(at, true), ADDRESS_LIVE);
	ck_assert_int_eq(address_map_inherited(at, false), ADDRESS_FREED);
	/* Who is given the address unseen has a block there that nobody has freed. */
	address_map_unseen(at);
	ck_assert_int_eq(address_map_inherited(at, true), ADDRESS_UNKNOWN);
	/* The child's own child has the child's map. */
	put(at + 64, 16);
	address_map_fork_child();
	ck_assert_int_eq(address_map_inherited(at + 64, false), ADDRESS_LIVE);
	ck_assert_int_eq(address_map_inherited(at + 128, false), ADDRESS_UNKNOWN);
	ck_assert(address_map_ready());
}
END_TEST

/* More of it than the parent should have to copy when it goes on. */
START_TEST(a_large_map_is_not_kept)
{
	for (uint64_t i = 0; i < 2100; i++)
		put(HEAP + i * 32768, 17);
	address_map_fork_child();
	ck_assert_int_eq(address_map_inherited(HEAP, false), ADDRESS_UNKNOWN);
	ck_assert(address_map_ready());
}
END_TEST

/* Its frame and its caller's are where the hook's and the program's would be. */
static __attribute__((noinline)) void free_from_here(uint64_t address, site_id site)
{
	freed_note_other(address, site, __builtin_frame_address(0));
	__asm__ volatile("");
}

START_TEST(first_frees_have_their_stack)
{
	struct rec_misuse_part part;
	thread_slot();
	ck_assert(!freed_find(HEAP, 4, &part));
	free_from_here(HEAP, 4);
	free_from_here(HEAP + 32, 6);
	ck_assert(freed_find(HEAP, 4, &part));
	const struct rec_stack *stack = view_stack(recording_view(), part.stack);
	ck_assert_ptr_nonnull(stack);
	ck_assert_uint_gt(stack->count, 0);
	ck_assert_uint_eq(part.thread, thread_slot()->id);
	ck_assert(part.at);
	/* Of a block of another site it was another's free. */
	ck_assert(!freed_find(HEAP, 5, &part));
	ck_assert(freed_find(HEAP + 32, 6, &part));
	freed_fork_child();
	ck_assert(!freed_find(HEAP + 32, 6, &part));
}
END_TEST

START_TEST(later_frees_have_their_caller)
{
	struct rec_cells *cells = recording_table(REC_CELLS);
	ck_assert_uint_eq(view_used(recording_view(), REC_CELLS), 0);
	struct rec_misuse_part part;
	static const char here, there;
	/* As a thread that has taken the first cells. */
	__atomic_store_n((uint64_t *)&recording->tables[REC_CELLS].used, sizeof *cells, __ATOMIC_RELEASE);
	cells->owner = thread_slot()->id;
	freed_note(cells, HEAP + 64, &here);
	ck_assert(freed_find(HEAP + 64, 0, &part));
	const struct rec_stack *stack = view_stack(recording_view(), part.stack);
	ck_assert_uint_eq(stack->frames[0], (uintptr_t)&here);
	ck_assert(stack->flags & STACK_TRUNCATED);
	ck_assert(!freed_find(HEAP + 96, 0, &part));
	/* One that shares its place is all that is known afterwards. */
	uint64_t other = HEAP + 64 + 32 * REC_FREED_EACH;
	ck_assert_uint_eq(freed_place(other), freed_place(HEAP + 64));
	freed_note(cells, other, &there);
	ck_assert(!freed_find(HEAP + 64, 0, &part));
	ck_assert(freed_find(other, 0, &part));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("freed");
	TCase *map = tcase_create("traces"), *who = tcase_create("who");
	suite_add_tcase(suite, map);
	suite_add_tcase(suite, who);
	tcase_add_test(map, a_freed_block_leaves_its_site);
	tcase_add_test(map, another_block_ends_the_trace);
	tcase_add_test(map, a_trace_is_no_block);
	tcase_add_test(map, blocks_that_share_a_window_leave_a_trace_each);
	tcase_add_test(map, just_behind_its_start_a_block_is_not_met);
	tcase_add_test(map, who_is_given_it_unseen_ends_the_trace);
	tcase_add_test(map, a_forked_child_knows_what_its_parent_freed);
	tcase_add_test(map, a_large_map_is_not_kept);
	const char *preloaded = getenv("LD_PRELOAD");
	if (preloaded && strstr(preloaded, "vgpreload")) {
		printf("no stacks: whether there is memory is tested by system calls that valgrind takes for "
		       "errors\n");
	} else {
		tcase_add_test(who, first_frees_have_their_stack);
		tcase_add_test(who, later_frees_have_their_caller);
	}
	options_init(&options);
	recording_configure(NULL, NULL);
	if (!address_map_ready() || recording_open() != 0)
		return 1;
	int failed = suite_run_here(suite);
	recording_unlink();
	return failed ? 1 : 0;
}
