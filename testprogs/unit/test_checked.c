#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/checked.h"
#include "suite.h"

static _Alignas(16) unsigned char room[8192];

static struct checked *block(uint64_t size)
{
	memset(room, 0x11, sizeof room);
	struct checked *header = (struct checked *)(void *)(room + 64);
	checked_make(header, size, false);
	return header;
}

/* Every byte of both guards, at every size about those at which the vectors end; and none says nothing about the block. */
START_TEST(test_overrun)
{
	for (uint64_t size = 0; size < 70; size++) {
		struct checked *header = block(size);
		const uint64_t word = header->word;
		int64_t offset = 0;
		ck_assert(!checked_overrun(header, word, &offset));
		memset(checked_bytes(header), 0xee, size);
		ck_assert(!checked_overrun(header, word, &offset));
		for (int64_t at = -(int64_t)GUARD_BYTES; at < (int64_t)(size + GUARD_BYTES); at++) {
			if (at >= 0 && at < (int64_t)size)
				continue;
			unsigned char *byte = checked_bytes(header) + at;
			*byte ^= 1;
			ck_assert(checked_overrun(header, word, &offset));
			ck_assert_int_eq(offset, at);
			ck_assert(checked_is(header, CHECKED_LIVE) == (at >= 0));
			ck_assert(checked_behind(header, size, &offset) == (at >= 0));
			uint64_t was = 0;
			ck_assert(checked_was(header, CHECKED_LIVE, CHECKED_UNKNOWN, &was));
			ck_assert_uint_eq(was, word);
			*byte ^= 1;
		}
	}
}
END_TEST

/* Of two the one next to the block. */
START_TEST(test_nearest)
{
	struct checked *header = block(40);
	const uint64_t word = header->word;
	int64_t offset = 0;
	checked_bytes(header)[-9] ^= 1;
	checked_bytes(header)[-2] = 0;
	ck_assert(checked_overrun(header, word, &offset));
	ck_assert_int_eq(offset, -2);
}
END_TEST

/* Numbers that programs write, over either word or both: where one is left, it is known what was there. */
START_TEST(test_words_lost)
{
	static const unsigned char written[] = { 0, 1, 0x20, 0x7f, 0xff };
	for (unsigned i = 0; i < sizeof written; i++)
		for (unsigned from = 1; from <= GUARD_BYTES; from++)
			for (unsigned count = 1; count <= from; count++) {
				struct checked *header = block(100);
				const uint64_t word = header->word;
				uint64_t was = 0;
				memset(checked_bytes(header) - from, written[i], count);
				if (from <= 8 || from - count >= 8) {
					ck_assert(checked_was(header, CHECKED_LIVE, CHECKED_UNKNOWN, &was));
					ck_assert_uint_eq(was, word);
				}
				/* The twin's bytes are as the address is, which may be what is written. */
				if (from <= 8) {
					int64_t offset = 0;
					ck_assert(!checked_is(header, CHECKED_LIVE));
					ck_assert(checked_overrun(header, word, &offset));
					ck_assert_int_eq(offset, -(int64_t)from + (int64_t)count - 1);
				}
				ck_assert(!checked_was(header, CHECKED_KEPT, CHECKED_UNKNOWN, &was));
				ck_assert(!checked_was(header, CHECKED_LIVE, 99, &was));
			}
}
END_TEST

START_TEST(test_poison)
{
	for (uint64_t size = 0; size < 200; size++) {
		struct checked *header = block(size);
		checked_poison(header, size, size % 2);
		ck_assert_uint_eq(checked_written(header, size, size % 2), size);
		for (uint64_t at = size; at-- > 0;) {
			checked_bytes(header)[at] = 0;
			ck_assert_uint_eq(checked_written(header, size, size % 2), at);
		}
	}
}
END_TEST

/* Where only the ends are poisoned, what is in between says nothing. */
START_TEST(test_ends)
{
	const uint64_t size = 5000;
	struct checked *header = block(size);
	checked_poison(header, size, false);
	ck_assert_uint_eq(checked_bytes(header)[CHECKED_HEAD], 0x11);
	checked_bytes(header)[CHECKED_HEAD] = checked_bytes(header)[size - CHECKED_TAIL - 1] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), size);
	checked_bytes(header)[size - 1] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), size - 1);
	checked_bytes(header)[size - CHECKED_TAIL] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), size - CHECKED_TAIL);
	checked_bytes(header)[CHECKED_HEAD - 1] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), CHECKED_HEAD - 1);
	checked_poison(header, size, true);
	checked_bytes(header)[CHECKED_HEAD] = 0;
	ck_assert_uint_eq(checked_written(header, size, true), CHECKED_HEAD);
}
END_TEST

/* What is live is not taken for what is kept, nor a copy for the block; that it is far stays known. */
START_TEST(test_marks)
{
	struct checked *header = block(10);
	ck_assert(checked_is(header, CHECKED_LIVE) && !checked_is(header, CHECKED_KEPT));
	ck_assert_ptr_eq(checked_base(header, header->word), header);
	checked_set(header, CHECKED_KEPT);
	ck_assert(checked_is(header, CHECKED_KEPT) && !checked_is(header, CHECKED_LIVE));
	ck_assert_ptr_eq(checked_base(header, header->word), header);
	ck_assert_uint_eq(checked_size(header), 10);

	struct checked *far = header + 3;
	*far = *header;
	ck_assert(!checked_is(far, CHECKED_KEPT) && !checked_is(far, CHECKED_LIVE));
	((void **)far)[-1] = room;
	checked_make(far, 20, true);
	ck_assert(checked_is(far, CHECKED_LIVE));
	ck_assert_ptr_eq(checked_base(far, far->word), room);
	checked_set(far, CHECKED_KEPT);
	ck_assert(checked_is(far, CHECKED_KEPT));
	ck_assert_ptr_eq(checked_base(far, far->word), room);
	ck_assert_uint_eq(checked_size(far), 20);
	checked_clear(far);
	ck_assert(!checked_is(far, CHECKED_KEPT) && !checked_is(far, CHECKED_LIVE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checked");
	TCase *tests = tcase_create("checked");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_overrun);
	tcase_add_test(tests, test_nearest);
	tcase_add_test(tests, test_words_lost);
	tcase_add_test(tests, test_poison);
	tcase_add_test(tests, test_ends);
	tcase_add_test(tests, test_marks);
	suite_add_tcase(suite, tests);
	return suite_run(suite) != 0;
}
