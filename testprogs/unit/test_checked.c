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
	header->mark = CHECKED_LIVE ^ (uintptr_t)header;
	header->size = size;
	checked_guard(header);
	return header;
}

/* Every byte of both guards, at every size about those at which the vectors end. */
START_TEST(test_overrun)
{
	for (uint64_t size = 0; size < 70; size++) {
		struct checked *header = block(size);
		int64_t offset = 0;
		ck_assert(!checked_overrun(header, size, &offset));
		memset(checked_bytes(header), 0xee, size);
		ck_assert(!checked_overrun(header, size, &offset));
		for (int64_t at = -(int64_t)GUARD_BYTES; at < (int64_t)(size + GUARD_BYTES); at++) {
			if (at >= 0 && at < (int64_t)size)
				continue;
			unsigned char *byte = checked_bytes(header) + at;
			*byte ^= 1;
			ck_assert(checked_overrun(header, size, &offset));
			ck_assert_int_eq(offset, at);
			*byte ^= 1;
		}
	}
}
END_TEST

/* Of two the one next to the block. */
START_TEST(test_nearest)
{
	struct checked *header = block(40);
	int64_t offset = 0;
	checked_bytes(header)[-9] = checked_bytes(header)[-2] = 0;
	ck_assert(checked_overrun(header, 40, &offset));
	ck_assert_int_eq(offset, -2);
}
END_TEST

START_TEST(test_poison)
{
	for (uint64_t size = 0; size < 200; size++) {
		struct checked *header = block(size);
		checked_poison(header, size % 2);
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
	checked_poison(header, false);
	ck_assert_uint_eq(checked_bytes(header)[CHECKED_HEAD], 0x11);
	checked_bytes(header)[CHECKED_HEAD] = checked_bytes(header)[size - CHECKED_TAIL - 1] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), size);
	checked_bytes(header)[size - 1] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), size - 1);
	checked_bytes(header)[size - CHECKED_TAIL] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), size - CHECKED_TAIL);
	checked_bytes(header)[CHECKED_HEAD - 1] = 0;
	ck_assert_uint_eq(checked_written(header, size, false), CHECKED_HEAD - 1);
	checked_poison(header, true);
	checked_bytes(header)[CHECKED_HEAD] = 0;
	ck_assert_uint_eq(checked_written(header, size, true), CHECKED_HEAD);
}
END_TEST

/* One mark is not taken for the other, nor a copy for the block; that it is far stays known. */
START_TEST(test_marks)
{
	struct checked *header = block(10);
	ck_assert(checked_is(header, CHECKED_LIVE) && !checked_is(header, CHECKED_KEPT));
	ck_assert_ptr_eq(checked_base(header), header);
	checked_set(header, CHECKED_KEPT);
	ck_assert(checked_is(header, CHECKED_KEPT) && !checked_is(header, CHECKED_LIVE));
	ck_assert_ptr_eq(checked_base(header), header);

	struct checked *far = header + 3;
	*far = *header;
	ck_assert(!checked_is(far, CHECKED_KEPT) && !checked_is(far, CHECKED_LIVE));
	far->mark = CHECKED_LIVE ^ (uintptr_t)far ^ CHECKED_FAR;
	((void **)far)[-1] = room;
	ck_assert(checked_is(far, CHECKED_LIVE));
	ck_assert_ptr_eq(checked_base(far), room);
	checked_set(far, CHECKED_KEPT);
	ck_assert(checked_is(far, CHECKED_KEPT));
	ck_assert_ptr_eq(checked_base(far), room);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checked");
	TCase *tests = tcase_create("checked");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_overrun);
	tcase_add_test(tests, test_nearest);
	tcase_add_test(tests, test_poison);
	tcase_add_test(tests, test_ends);
	tcase_add_test(tests, test_marks);
	suite_add_tcase(suite, tests);
	return suite_run(suite) != 0;
}
