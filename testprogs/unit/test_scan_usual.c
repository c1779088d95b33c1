/* Which pointers into the middle of a block are as they should be. */
#include "scan_heap.h"

#include <stdlib.h>

#include "reporter/scan/maps.h"
#include "reporter/scan/usual.h"

#include "suite.h"

#define BYTES 48u /* a block */

static struct heap_of_test heap;

/* Block 0 begins with these three words. Return: whether a pointer to its byte `offset` is usual. */
static bool is_usual(uint64_t first, uint64_t second, uint64_t third, unsigned offset,
		     const struct maps *maps)
{
	heap_build(&heap, 2, BYTES);
	heap.words[0][0] = first;
	heap.words[0][1] = second;
	heap.words[0][2] = third;
	uint64_t start = heap_address(&heap, 0);
	return usual_middle(&heap.blocks, 0, start, start + offset, maps);
}

START_TEST(an_array_is_known_by_its_first_element)
{
	ck_assert(is_usual(5, 0, 0, 8, NULL)); /* five of 8 bytes */
	ck_assert(is_usual(1, 0, 0, 8, NULL));
	ck_assert(!is_usual(3, 0, 0, 8, NULL)); /* 40 bytes are no three elements */
	ck_assert(!is_usual(0, 0, 0, 8, NULL));
	ck_assert(!is_usual(5, 0, 0, 16, NULL)); /* its second element */
}
END_TEST

START_TEST(a_string_is_known_by_its_text)
{
	ck_assert(is_usual(20, 23, 0, 24, NULL)); /* 20 of 23 bytes, a zero, and a header of 24 */
	ck_assert(!is_usual(20, 19, 0, 24, NULL));
	ck_assert(!is_usual(20, 24, 0, 24, NULL)); /* no room for the zero */
	ck_assert(!is_usual(20, 23, 0, 25, NULL));
}
END_TEST

START_TEST(a_block_behind_its_size)
{
	ck_assert(is_usual(BYTES - 8, 0, 0, 8, NULL));
	ck_assert(!is_usual(BYTES - 1, 0, 0, 8, NULL));
}
END_TEST

START_TEST(a_second_base_begins_with_a_table_of_its_own)
{
	static uint64_t tables[2], written;
	struct map map[] = {
		{ (uint64_t)&tables[0], (uint64_t)&tables[2], MAP_READ | MAP_OF_FILE },
		{ (uint64_t)&written, (uint64_t)&written + 8, MAP_READ | MAP_WRITE | MAP_OF_FILE },
		{ 4096, 8192, MAP_READ | MAP_EXECUTE | MAP_OF_FILE },
	};
	struct map at[3];
	/* Ascending, wherever the linker has put them. */
	bool swapped = map[0].start > map[1].start;
	at[0] = map[2];
	at[1] = map[swapped];
	at[2] = map[!swapped];
	const struct maps maps = { .at = at, .count = 3 };
	tables[0] = tables[1] = written = 4096 + 16;
	uint64_t one = (uint64_t)&tables[0], two = (uint64_t)&tables[1];
	ck_assert(is_usual(one, 7, two, 16, &maps));
	ck_assert(!is_usual(one, 7, two, 8, &maps));
	ck_assert(!is_usual(one, 7, (uint64_t)&written, 16, &maps)); /* who can be written is no table */
	ck_assert(!is_usual(one, 7, two, 16, NULL));
	tables[1] = 12; /* nothing that can be run */
	ck_assert(!is_usual(one, 7, two, 16, &maps));
}
END_TEST

START_TEST(the_end_counts_and_what_is_not_known_too)
{
	ck_assert(is_usual(0, 0, 0, BYTES, NULL));
	ck_assert(!is_usual(0, 0, 0, BYTES - 1, NULL)); /* no word begins there */
	ck_assert(!is_usual(0, 0, 0, BYTES - 8, NULL));
	heap_build(&heap, 2, BYTES);
	blocks_flag(&heap.blocks, 1, BLOCK_HOLES);
	uint64_t start = heap_address(&heap, 1);
	ck_assert(usual_middle(&heap.blocks, 1, start, start + 16, NULL));
}
END_TEST

START_TEST(who_marks_by_it_passes_over_the_others)
{
	heap_build(&heap, 4, BYTES);
	heap_point(&heap, 0, 1, 1, 16);
	heap_point(&heap, 0, 2, 2, 0);
	heap.words[3][0] = 1;
	heap_point(&heap, 0, 3, 3, 8); /* an array of one */
	struct mark mark;
	ck_assert_int_eq(mark_init(&mark, &heap.blocks, 0), 0);
	mark.accepts = usual_middle;
	uint64_t root = heap_address(&heap, 0);
	mark_words(&mark, &root, 1, MARK_OF_PROGRAM);
	mark_run(&mark);
	mark_release(&mark);
	ck_assert(heap_reached(&heap, 0));
	ck_assert(!heap_reached(&heap, 1));
	ck_assert(heap_reached(&heap, 2));
	ck_assert(heap_reached(&heap, 3));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan_usual");
	TCase *tests = tcase_create("usual");
	tcase_add_test(tests, an_array_is_known_by_its_first_element);
	tcase_add_test(tests, a_string_is_known_by_its_text);
	tcase_add_test(tests, a_block_behind_its_size);
	tcase_add_test(tests, a_second_base_begins_with_a_table_of_its_own);
	tcase_add_test(tests, the_end_counts_and_what_is_not_known_too);
	tcase_add_test(tests, who_marks_by_it_passes_over_the_others);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
