/* Numbers in what the kernel writes into /proc. */
#include <check.h>

#include "base/digits.h"

#include "testprogs/unit/suite.h"

START_TEST(a_number_ends_where_its_digits_do)
{
	uint64_t number;
	ck_assert_str_eq(digits_hex("55d0c8e6d000-55d0c8e6f000 r--p", &number), "-55d0c8e6f000 r--p");
	ck_assert_uint_eq(number, UINT64_C(0x55d0c8e6d000));
	ck_assert_str_eq(digits_decimal("4711 kB", &number), " kB");
	ck_assert_uint_eq(number, 4711);
	ck_assert_str_eq(digits_decimal("12ab", &number), "ab");
	ck_assert_uint_eq(number, 12);
}
END_TEST

START_TEST(where_there_is_none_it_is_none)
{
	uint64_t number = 1;
	ck_assert_str_eq(digits_hex("xyz", &number), "xyz");
	ck_assert_uint_eq(number, 0);
	number = 1;
	ck_assert_str_eq(digits_decimal("", &number), "");
	ck_assert_uint_eq(number, 0);
	number = 1;
	ck_assert_str_eq(digits_either("  running", &number), "running");
	ck_assert_uint_eq(number, 0);
}
END_TEST

/* /proc/PID/syscall: the number of the call is decimal, its arguments are not. */
START_TEST(either_goes_by_how_it_begins)
{
	uint64_t number;
	const char *at = digits_either("202 0x7ffd80 0x189", &number);
	ck_assert_uint_eq(number, 202);
	at = digits_either(at, &number);
	ck_assert_uint_eq(number, 0x7ffd80);
	ck_assert_str_eq(digits_either(at, &number), "");
	ck_assert_uint_eq(number, 0x189);
}
END_TEST

START_TEST(a_field_is_found_by_its_name)
{
	const char *status = "State:\tS (sleeping)\nSigPnd:\t0\nvoluntary_ctxt_switches:\t5\n"
			     "nonvoluntary_ctxt_switches:\t7\n";
	uint64_t number;
	digits_decimal(digits_behind(status, "\nnonvoluntary_ctxt_switches:"), &number);
	ck_assert_uint_eq(number, 7);
	digits_decimal(digits_behind(status, "\nvoluntary_ctxt_switches:"), &number);
	ck_assert_uint_eq(number, 5);
	ck_assert_ptr_null(digits_behind(status, "\nState:")); /* it is the first */
	ck_assert_ptr_null(digits_behind(status, "\nSigCgt:"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digits");
	TCase *tcase = tcase_create("digits");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, a_number_ends_where_its_digits_do);
	tcase_add_test(tcase, where_there_is_none_it_is_none);
	tcase_add_test(tcase, either_goes_by_how_it_begins);
	tcase_add_test(tcase, a_field_is_found_by_its_name);
	return suite_run(suite) != 0;
}
