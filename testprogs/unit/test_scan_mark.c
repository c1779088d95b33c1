/* What the scan takes for reachable, on heaps built by hand. */
#include "scan_heap.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "reporter/scan/memory.h"
#include "reporter/scan/pages.h"
#include "reporter/scan/ranges.h"

#include "suite.h"

static struct heap_of_test heap;

START_TEST(a_pointer_keeps_what_it_points_to)
{
	heap_build(&heap, 3, 56);
	heap_point(&heap, 0, 2, 1, 0);
	heap_mark(&heap, heap_address(&heap, 0));
	ck_assert(heap_reached(&heap, 0));
	ck_assert(heap_reached(&heap, 1));
	ck_assert(!heap_reached(&heap, 2));
}
END_TEST

START_TEST(any_byte_of_a_block_counts_and_none_behind_it)
{
	heap_build(&heap, 4, 56);
	heap_mark(&heap, heap_address(&heap, 0) + 55);
	heap_mark(&heap, heap_address(&heap, 1) + 56);
	heap_mark(&heap, heap_address(&heap, 2) - 1);
	ck_assert(heap_reached(&heap, 0));
	ck_assert(!heap_reached(&heap, 1));
	ck_assert(!heap_reached(&heap, 2));
	heap_mark(&heap, heap_address(&heap, 3) + 1);
	ck_assert(heap_reached(&heap, 3));
}
END_TEST

START_TEST(a_block_of_no_bytes_can_be_pointed_to)
{
	heap_build(&heap, 2, 0);
	heap_mark(&heap, heap_address(&heap, 1));
	ck_assert(heap_reached(&heap, 1));
	ck_assert(!heap_reached(&heap, 0));
}
END_TEST

START_TEST(a_chain_is_followed_to_its_end)
{
	heap_build(&heap, HEAP_BLOCKS, 16);
	for (unsigned i = 0; i + 1 < HEAP_BLOCKS; i++)
		heap_point(&heap, i, 1, i + 1, 0);
	heap_mark(&heap, heap_address(&heap, 1));
	ck_assert(!heap_reached(&heap, 0));
	for (unsigned i = 1; i < HEAP_BLOCKS; i++)
		ck_assert(heap_reached(&heap, i));
}
END_TEST

START_TEST(words_behind_the_block_are_not_read)
{
	heap_build(&heap, 2, 24);
	heap_point(&heap, 0, 3, 1, 0);
	heap_mark(&heap, heap_address(&heap, 0));
	ck_assert(!heap_reached(&heap, 1));
}
END_TEST

/* What is in it counts; who points there points behind the end. */
START_TEST(slack_belongs_to_the_block)
{
	heap_build_of(&heap, 3, 20, true);
	heap_point(&heap, 0, 3, 1, 0);
	heap_mark(&heap, heap_address(&heap, 0));
	ck_assert(heap_reached(&heap, 1));
	heap_mark(&heap, heap_address(&heap, 2) + 20);
	ck_assert(!heap_reached(&heap, 2));
	heap_mark(&heap, heap_address(&heap, 2) + 19);
	ck_assert(heap_reached(&heap, 2));
}
END_TEST

START_TEST(pointers_in_disguise)
{
	heap_build(&heap, 3, 24);
	const uint64_t key = UINT64_C(0x5a5a5a5a00000000), tag = UINT64_C(0xffff000000000000);
	uint64_t disguised = (heap_address(&heap, 1) ^ key) | tag;
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &heap.blocks, 0), 0);
	mark_words(&mark, &disguised, 1, MARK_OF_PROGRAM);
	ck_assert(!heap_reached(&heap, 1));
	mark.mask = ~tag;
	mark.exclusive = key & ~tag;
	disguised = (heap_address(&heap, 1) ^ mark.exclusive) | tag;
	mark_words(&mark, &disguised, 1, MARK_OF_PROGRAM);
	ck_assert(heap_reached(&heap, 1));
	ck_assert(!heap_reached(&heap, 2));
	mark_release(&mark);
}
END_TEST

START_TEST(a_pointer_that_is_not_aligned_does_not_count)
{
	heap_build(&heap, 2, 56);
	uint64_t to = heap_address(&heap, 1);
	memcpy((char *)heap.words[0] + 4, &to, sizeof to);
	heap_mark(&heap, heap_address(&heap, 0));
	ck_assert(!heap_reached(&heap, 1));
}
END_TEST

/* One was freed in a way that nobody saw, and part of it was handed out again. */
START_TEST(of_blocks_in_blocks_the_inner_one)
{
	uint64_t at = 0x500000000000;
	struct block at_all[] = { { .start = at, .bytes = 4096, .site = 1 },
				  { .start = at + 1024, .bytes = 64, .site = 1 },
				  { .start = at + 0x100000, .bytes = 0x100000, .site = 1 },
				  { .start = at + 0x180000, .bytes = 64, .site = 1 } };
	struct blocks blocks = { 0 };
	facts_enter(&blocks, at_all, COUNT_OF(at_all));
	ck_assert_uint_eq(blocks_find(&blocks, at + 1000), 0);
	ck_assert_uint_eq(blocks_find(&blocks, at + 1030), 1);
	ck_assert_uint_eq(blocks_find(&blocks, at + 1100), 0);
	ck_assert_uint_eq(blocks_find(&blocks, at + 4096), BLOCK_NONE);
	ck_assert_uint_eq(blocks_find(&blocks, at + 0x17ffff), 2);
	ck_assert_uint_eq(blocks_find(&blocks, at + 0x18003f), 3);
	ck_assert_uint_eq(blocks_find(&blocks, at + 0x180040), 2);
	for (uint32_t i = 0; i < COUNT_OF(at_all); i++)
		ck_assert_uint_eq(blocks_start(&blocks, i), at_all[i].start);
	blocks_release(&blocks);
}
END_TEST

START_TEST(nothing_leads_out_of_an_empty_heap)
{
	heap_build(&heap, 0, 0);
	ck_assert_uint_eq(blocks_find(&heap.blocks, 0), BLOCK_NONE);
	ck_assert_uint_eq(blocks_find(&heap.blocks, heap_address(&heap, 0)), BLOCK_NONE);
	ck_assert_uint_eq(blocks_find(&heap.blocks, UINT64_MAX), BLOCK_NONE);
}
END_TEST

/* Streams 0 and 1: libc's list leads to 0, 0's chain to 1, 0's buffer is 2; the program points to neither. */
START_TEST(the_list_of_open_streams_keeps_none_open)
{
	heap_build(&heap, 4, 56);
	blocks_flag(&heap.blocks, 0, BLOCK_RESOURCE);
	blocks_flag(&heap.blocks, 1, BLOCK_RESOURCE);
	heap_point(&heap, 0, 3, 1, 0);
	heap_point(&heap, 0, 4, 2, 0);
	uint64_t list[] = { heap_address(&heap, 0) };
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &heap.blocks, 0), 0);
	mark_words(&mark, list, 1, MARK_OF_LIBC);
	mark_run(&mark);
	ck_assert(!heap_reached(&heap, 0));
	/* A pointer of the program's to 0: its buffer is kept, the next stream is not. */
	mark_words(&mark, list, 1, MARK_OF_PROGRAM);
	mark_run(&mark);
	ck_assert(heap_reached(&heap, 0));
	ck_assert(!heap_reached(&heap, 1));
	ck_assert(heap_reached(&heap, 2));
	mark_release(&mark);
}
END_TEST

/* From glibc 2.41 on what comes later in the list points back, to the link of what is before it. */
START_TEST(the_way_back_in_the_list_keeps_no_stream_open)
{
	heap_build(&heap, 1, 56);
	const uint64_t start = heap_address(&heap, 0), link = offsetof(struct _IO_FILE, _chain);
	blocks_flag(&heap.blocks, 0, BLOCK_RESOURCE);
	ck_assert(mark_is_bookkeeping(&heap.blocks, 0, start, start + link, MARK_OF_STREAM));
	ck_assert(mark_is_bookkeeping(&heap.blocks, 0, start, start + link, MARK_OF_LIBC));
	ck_assert(!mark_is_bookkeeping(&heap.blocks, 0, start, start + link + 8, MARK_OF_STREAM));
}
END_TEST

/* glibc: the header of a free chunk begins in the last word of the block in front of it. */
START_TEST(a_free_chunk_keeps_no_neighbour)
{
	heap_build(&heap, 2, 20);
	uint64_t last_word = heap_address(&heap, 0) + 16;
	ck_assert_uint_eq(last_word % 16, 0);
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &heap.blocks, 0), 0);
	mark_words(&mark, &last_word, 1, MARK_OF_LIBC);
	ck_assert(!heap_reached(&heap, 0));
	mark_words(&mark, &last_word, 1, MARK_OF_STREAM);
	ck_assert(heap_reached(&heap, 0));
	mark_release(&mark);
}
END_TEST

/* redis-server on jemalloc: glibc's old_tz, "UTC". */
START_TEST(libc_keeps_a_block_of_another_allocator)
{
	heap_build(&heap, 2, 8);
	uint64_t start = heap_address(&heap, 1);
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &heap.blocks, 0), 0);
	mark_words(&mark, &start, 1, MARK_OF_LIBC);
	ck_assert(heap_reached(&heap, 1));
	mark_release(&mark);
}
END_TEST

START_TEST(what_may_not_be_read_is_not_read)
{
	/* A block of four pages whose third is protected, as coroutine libraries do with their stacks. */
	char *pages = mmap(NULL, 4 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static uint64_t other[2];
	ck_assert_ptr_ne(pages, MAP_FAILED);
	uint64_t start = (uint64_t)(uintptr_t)pages;
	*(uint64_t *)(pages + 3 * PAGE_BYTES + 16) = (uint64_t)(uintptr_t)other;
	ck_assert_int_eq(mprotect(pages + 2 * PAGE_BYTES, PAGE_BYTES, PROT_NONE), 0);

	struct block low = { .start = (uint64_t)(uintptr_t)other, .bytes = sizeof other, .site = 1 };
	struct block high = { .start = start, .bytes = 4 * PAGE_BYTES, .site = 1, .flags = BLOCK_HOLES };
	struct ranges readable = { 0 };
	ranges_add(&readable, start, start + 2 * PAGE_BYTES);
	ranges_add(&readable, start + 3 * PAGE_BYTES, start + 4 * PAGE_BYTES);
	ranges_sort(&readable);
	struct blocks blocks = { .readable = &readable };
	struct block both[] = { low.start < high.start ? low : high, low.start < high.start ? high : low };
	facts_enter(&blocks, both, 2);
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &blocks, 0), 0);
	mark_word(&mark, start);
	mark_run(&mark);
	ck_assert(blocks_flags(&blocks, 0) & BLOCK_REACHED);
	ck_assert(blocks_flags(&blocks, 1) & BLOCK_REACHED);
	mark_release(&mark);
	blocks_release(&blocks);
	ranges_release(&readable);
	munmap(pages, 4 * PAGE_BYTES);
}
END_TEST

START_TEST(pages_never_touched_are_left_alone)
{
	uint64_t bytes = (uint64_t)256 << 20;
	char *memory =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	static uint64_t other[2];
	*(uint64_t *)(memory + bytes / 2 + 8) = (uint64_t)(uintptr_t)other;
	struct pages pages;
	pages_open(&pages);
	struct range run;
	uint64_t start = (uint64_t)(uintptr_t)memory;
	ck_assert(pages_next_run(&pages, start, start + bytes, PAGES_ANY, &run));
	if (pages.fd >= 0) {
		ck_assert_uint_eq(run.start, start + bytes / 2);
		ck_assert_uint_eq(run.end, start + bytes / 2 + PAGE_BYTES);
		ck_assert(!pages_next_run(&pages, run.end, start + bytes, PAGES_ANY, &run));
	}
	pages_close(&pages);
	munmap(memory, bytes);
}
END_TEST

START_TEST(out_of_order_blocks_are_refused)
{
	struct blocks blocks = { 0 };
	struct block high = { .start = 0x20000, .bytes = 16, .site = 1 };
	struct block low = { .start = 0x10000, .bytes = 16, .site = 1 };
	blocks_begin(&blocks, BLOCKS_UNIT_USUAL);
	blocks_add(&blocks, &high);
	ck_assert(!blocks.failed);
	blocks_add(&blocks, &low);
	ck_assert(blocks.failed);
	blocks_release(&blocks);
}
END_TEST

/* An array of pointers to more blocks than the queue of those to be read has room for, each with one more behind it. */
START_TEST(what_finds_no_room_is_found_again)
{
	enum { COUNT = 100000 };
	uint64_t(*words)[2] = calloc(COUNT, sizeof *words), *array = calloc(COUNT / 2, sizeof *array);
	struct block *list = calloc(COUNT, sizeof *list);
	ck_assert(words && array && list);
	for (unsigned i = 0; i < COUNT; i++)
		list[i] = (struct block){ .start = (uint64_t)(uintptr_t)words[i], .bytes = 16, .site = 1 };
	for (unsigned i = 0; i < COUNT / 2; i++) {
		array[i] = list[i].start;
		words[i][1] = list[COUNT - 1 - i].start;
	}
	struct blocks blocks = { 0 };
	facts_enter(&blocks, list, COUNT);
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &blocks, 0), 0);
	ck_assert_uint_lt(mark.pending_room, COUNT / 4);
	mark_words(&mark, array, COUNT / 2 - 1, MARK_OF_PROGRAM);
	ck_assert_uint_gt(mark.waiting, 0);
	mark_run(&mark);
	for (unsigned i = 0; i < COUNT; i++) {
		bool lost = i == COUNT / 2 - 1 || i == COUNT / 2;
		ck_assert_int_eq(!(blocks_flags(&blocks, i) & BLOCK_REACHED), lost);
	}
	mark_release(&mark);
	blocks_release(&blocks);
	free(words);
	free(array);
	free(list);
}
END_TEST

/* glibc's headers tell the ends of most blocks: what they say must be what is known. */
START_TEST(headers_agree_with_what_is_known)
{
	for (unsigned bytes = 17; bytes <= 56; bytes++) {
		heap_build_of(&heap, 4, bytes, true);
		uint64_t inside[] = { heap_address(&heap, 0) + bytes - 1, heap_address(&heap, 1) + bytes,
				      heap_address(&heap, 2) + 16 };
		struct mark mark;
		ck_assert_int_eq(mark_init(&mark, &heap.blocks, 0), 0);
		mark_words(&mark, inside, COUNT_OF(inside), MARK_OF_PROGRAM);
		mark_run(&mark);
		mark_release(&mark);
		ck_assert(heap_reached(&heap, 0));
		/* Only what may be a header is known by the address behind it. */
		ck_assert_int_eq(heap_reached(&heap, 1), bytes % 16 == 0);
		ck_assert(heap_reached(&heap, 2));
		/* One that has been overwritten is not believed. */
		heap_build_of(&heap, 3, bytes, true);
		heap.words[0][HEAP_WORDS - 1] = 33;
		heap_point(&heap, 1, bytes / 8 - 1, 2, 0);
		heap_mark(&heap, heap_address(&heap, 1));
		ck_assert(heap_reached(&heap, 2));
	}
}
END_TEST

/* Words of every kind against a plain search, over blocks of many sizes in several regions. */
START_TEST(the_index_agrees_with_a_search)
{
	enum { COUNT = 3000 };
	static struct block list[COUNT];
	struct blocks blocks = { 0 };
	uint64_t at = 0x500000000000 - 0x1000;
	unsigned seed = 1;
	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t bytes = (uint64_t)rand_r(&seed) % (i % 100 == 0 ? 300000 : 200);
		list[i] = (struct block){ .start = at, .bytes = bytes, .site = 1 };
		at += ((bytes + 16) & ~UINT64_C(15)) + (uint64_t)(rand_r(&seed) % 5) * 16;
		if (i % 1000 == 999)
			at += (uint64_t)100 << 20;
	}
	facts_enter(&blocks, list, COUNT);
	ck_assert(!blocks.failed);
	struct block_walk walk = { 0 };
	for (uint32_t i = 0; i < COUNT; i++) {
		ck_assert(blocks_next(&blocks, &walk));
		ck_assert_uint_eq(walk.number, i);
		ck_assert_uint_eq(walk.start, list[i].start);
		ck_assert_uint_eq(blocks_start(&blocks, i), list[i].start);
	}
	ck_assert(!blocks_next(&blocks, &walk));
	walk = blocks_end(&blocks);
	for (uint32_t i = COUNT; i-- > 0;) {
		ck_assert(blocks_previous(&blocks, &walk));
		ck_assert_uint_eq(walk.number, i);
		ck_assert_uint_eq(walk.start, list[i].start);
	}
	ck_assert(!blocks_previous(&blocks, &walk));
	uint64_t low = list[0].start;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t address =
		    low - 4096 +
		    (((uint64_t)rand_r(&seed) << 16) ^ (uint64_t)rand_r(&seed)) % (at - low + 8192);
		uint32_t expected = BLOCK_NONE;
		uint64_t from = 0, to = blocks.count;
		while (from < to) {
			uint64_t middle = (from + to) / 2;
			const struct block *block = &list[middle];
			if (address < block->start) {
				to = middle;
			} else if (address >= block->start + block_reach(block)) {
				from = middle + 1;
			} else {
				expected = (uint32_t)middle;
				break;
			}
		}
		ck_assert_uint_eq(blocks_find(&blocks, address), expected);
	}
	blocks_release(&blocks);
}
END_TEST

/* Rows 0 to 3 are the memory of a pool, of which it has handed out row 1, with row 2 in it as a pool of its own. */
static void build_pool(struct block *at, bool of_libc)
{
	const unsigned row = sizeof heap.words[0];
	heap_build_of(&heap, HEAP_BLOCKS, 48, of_libc);
	blocks_release(&heap.blocks);
	at[0] = (struct block){ .start = heap_address(&heap, 0), .bytes = 4 * row, .flags = BLOCK_HOLES };
	at[1] = (struct block){ .start = heap_address(&heap, 1),
				.bytes = row,
				.flags = BLOCK_POOL | BLOCK_HOLES };
	at[2] = at[1];
	at[2].start += 16;
	at[2].bytes = 16;
	for (unsigned i = 3; i < 6; i++)
		at[i] = (struct block){ .start = heap_address(&heap, i + 1), .bytes = 48 };
	heap.blocks.of_libc = of_libc;
	facts_enter(&heap.blocks, at, 6);
	ck_assert(!heap.blocks.failed);
	heap.words[0][3] = heap_address(&heap, 4);
	heap.words[1][1] = heap_address(&heap, 5);
	heap.words[1][2] = heap_address(&heap, 6);
}

START_TEST(a_pool_does_not_keep_what_it_handed_out)
{
	struct block at[6];
	for (unsigned of_libc = 0; of_libc < 2; of_libc++) {
		build_pool(at, of_libc);
		heap_mark(&heap, at[0].start);
		static const bool by_pool[] = { true, false, false, true, false, false };
		for (unsigned i = 0; i < 6; i++)
			ck_assert_int_eq(heap_reached(&heap, i), by_pool[i]);
		build_pool(at, of_libc);
		heap_mark(&heap, at[1].start + 8);
		static const bool by_block[] = { true, true, false, true, true, false };
		for (unsigned i = 0; i < 6; i++)
			ck_assert_int_eq(heap_reached(&heap, i), by_block[i]);
		build_pool(at, of_libc);
		heap_mark(&heap, at[2].start);
		for (unsigned i = 0; i < 6; i++)
			ck_assert(heap_reached(&heap, i));
	}
}
END_TEST

START_TEST(who_reads_all_of_a_pool_reads_its_blocks)
{
	struct block at[6];
	unsigned found[2] = { 0, 0 };
	build_pool(at, false);
	for (unsigned whole = 0; whole < 2; whole++) {
		struct block_cursor cursor = block_cursor_at(&heap.blocks, 0, at[0].start);
		cursor.whole = whole;
		while (block_cursor_next(&heap.blocks, &cursor) != BLOCK_NONE)
			found[whole]++;
	}
	ck_assert_uint_eq(found[0], 1);
	ck_assert_uint_eq(found[1], 3);
	blocks_release(&heap.blocks);
}
END_TEST

START_TEST(what_lies_around_a_block)
{
	struct block at[6];
	uint64_t start;
	build_pool(at, false);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, at[2].start, &start), 1);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, at[1].start, &start), 0);
	ck_assert_uint_eq(start, at[0].start);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, at[0].start, &start), BLOCK_NONE);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, at[4].start, &start), BLOCK_NONE);
	blocks_release(&heap.blocks);
	/* Large ones are found in another way. */
	const uint64_t base = UINT64_C(0x34560000000);
	struct block large[] = {
		{ .start = base, .bytes = 4 * BLOCKS_LARGE_BYTES },
		{ .start = base + BLOCKS_LARGE_BYTES, .bytes = 2 * BLOCKS_LARGE_BYTES, .flags = BLOCK_POOL },
		{ .start = base + 2 * BLOCKS_LARGE_BYTES, .bytes = 64, .flags = BLOCK_POOL },
		{ .start = base + 7 * BLOCKS_LARGE_BYTES / 2, .bytes = 64, .flags = BLOCK_POOL },
	};
	facts_enter(&heap.blocks, large, COUNT_OF(large));
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, large[3].start, &start), 0);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, large[2].start, &start), 1);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, large[1].start, &start), 0);
	ck_assert_uint_eq(blocks_find_around(&heap.blocks, large[0].start, &start), BLOCK_NONE);
	blocks_release(&heap.blocks);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan_mark");
	TCase *tests = tcase_create("mark");
	tcase_add_test(tests, a_pointer_keeps_what_it_points_to);
	tcase_add_test(tests, any_byte_of_a_block_counts_and_none_behind_it);
	tcase_add_test(tests, a_block_of_no_bytes_can_be_pointed_to);
	tcase_add_test(tests, a_chain_is_followed_to_its_end);
	tcase_add_test(tests, words_behind_the_block_are_not_read);
	tcase_add_test(tests, slack_belongs_to_the_block);
	tcase_add_test(tests, pointers_in_disguise);
	tcase_add_test(tests, a_pointer_that_is_not_aligned_does_not_count);
	tcase_add_test(tests, of_blocks_in_blocks_the_inner_one);
	tcase_add_test(tests, a_pool_does_not_keep_what_it_handed_out);
	tcase_add_test(tests, who_reads_all_of_a_pool_reads_its_blocks);
	tcase_add_test(tests, what_lies_around_a_block);
	tcase_add_test(tests, nothing_leads_out_of_an_empty_heap);
	tcase_add_test(tests, the_list_of_open_streams_keeps_none_open);
	tcase_add_test(tests, the_way_back_in_the_list_keeps_no_stream_open);
	tcase_add_test(tests, a_free_chunk_keeps_no_neighbour);
	tcase_add_test(tests, libc_keeps_a_block_of_another_allocator);
	tcase_add_test(tests, what_may_not_be_read_is_not_read);
	tcase_add_test(tests, pages_never_touched_are_left_alone);
	tcase_add_test(tests, out_of_order_blocks_are_refused);
	tcase_add_test(tests, what_finds_no_room_is_found_again);
	tcase_add_test(tests, headers_agree_with_what_is_known);
	tcase_add_test(tests, the_index_agrees_with_a_search);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
