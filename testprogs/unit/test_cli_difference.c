/* What differs between two runs, from the reports of both; and JSON as anybody may write it. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/cli/difference.h"
#include "reporter/cli/json_in.h"

#include "testprogs/unit/suite.h"

static void *more_memory(size_t bytes)
{
	return calloc(1, bytes);
}

static void less_memory(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static struct arena arena = { .more = more_memory, .less = less_memory };

#define REPORT(pid, findings) \
	"{\"schema\": \"whoholds/1\", \"process\": {\"pid\": " #pid "}, \"findings\": [" findings "]}\n"
#define FINDING(id, bytes, count) \
	"{\"id\": \"" id \
	"\", \"kind\": \"leak\", \"severity\": \"error\", \"title\": \"t\", \"bytes\": " #bytes \
	", \"count\": " #count "}"

/* One of those that have the same id, since they differ in nothing but the line. */
#define FINDING_AT(id, line, bytes) \
	"{\"id\": \"" id \
	"\", \"kind\": \"leak\", \"severity\": \"error\", \"title\": \"t\", \"bytes\": " #bytes \
	", \"count\": 1, \"stacks\": [{\"role\": \"allocated\", \"frames\": [{\"function\": \"f\", " \
	"\"file\": \"a.c\", " \
	"\"line\": " #line "}]}]}"

static struct difference compare(const char *old, const char *new)
{
	struct difference difference = { 0 };
	arena_reset(&arena);
	ck_assert_int_eq(run_tally_read(&difference.old, &arena, old), 0);
	ck_assert_int_eq(run_tally_read(&difference.new, &arena, new), 0);
	ck_assert_int_eq(difference_make(&difference, &arena), 0);
	return difference;
}

START_TEST(knows_findings_by_their_ids)
{
	struct difference difference = compare(
	    REPORT(1,
		   FINDING("a", 1, 1) "," FINDING("b", 5, 1) "," FINDING("c", 5, 1) "," FINDING("d", 2, 2)),
	    REPORT(2,
		   FINDING("b", 9, 1) "," FINDING("c", 5, 0) "," FINDING("d", 2, 2) "," FINDING("e", 1, 1)));
	static const struct {
		const char *id;
		enum change change;
	} wanted[] = {
		{ "e", CHANGE_NEW }, { "a", CHANGE_GONE }, { "b", CHANGE_GROWN }, { "c", CHANGE_SHRUNK }
	};
	ck_assert_uint_eq(difference.finding_count, COUNT_OF(wanted));
	ck_assert_uint_eq(difference.same, 1);
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const struct changed *changed = &difference.findings[i];
		ck_assert_str_eq((changed->new ? changed->new : changed->old)->id, wanted[i].id);
		ck_assert_int_eq(changed->change, wanted[i].change);
	}
}
END_TEST

START_TEST(two_of_one_id_are_told_apart_by_their_lines)
{
	struct difference difference = compare(
	    REPORT(1, FINDING_AT("a", 10, 100) "," FINDING_AT("a", 20, 7)),
	    REPORT(2, FINDING_AT("a", 20, 7) "," FINDING_AT("a", 10, 300) "," FINDING_AT("a", 15, 1)));
	ck_assert_uint_eq(difference.same, 1);
	ck_assert_uint_eq(difference.finding_count, 2);
	ck_assert_int_eq(difference.findings[0].change, CHANGE_NEW);
	ck_assert_double_eq(difference.findings[0].new->bytes, 1);
	ck_assert_int_eq(difference.findings[1].change, CHANGE_GROWN);
	ck_assert_double_eq(difference.findings[1].old->bytes, 100);
	ck_assert_double_eq(difference.findings[1].new->bytes, 300);
}
END_TEST

/* Somebody has added lines above them. */
START_TEST(lines_that_have_moved_make_nothing_new)
{
	struct difference difference =
	    compare(REPORT(1, FINDING_AT("a", 10, 100) "," FINDING_AT("a", 20, 7)),
		    REPORT(2, FINDING_AT("a", 13, 100) "," FINDING_AT("a", 23, 7)));
	ck_assert_uint_eq(difference.finding_count, 0);
	ck_assert_uint_eq(difference.same, 2);
}
END_TEST

START_TEST(processes_add_up_and_reports_of_one_do_not)
{
	struct difference difference = compare(REPORT(1, FINDING("a", 10, 1)) REPORT(1, FINDING("a", 20, 2))
						   REPORT(2, FINDING("a", 5, 1)),
					       REPORT(7, FINDING("a", 12, 1) "," FINDING("a", 13, 2)));
	ck_assert_uint_eq(difference.finding_count, 0);
	ck_assert_uint_eq(difference.same, 1);
	ck_assert_double_eq(difference.old.findings.first->bytes, 25);
	ck_assert_double_eq(difference.new.findings.first->count, 3);
}
END_TEST

START_TEST(amounts_that_nobody_can_have)
{
	struct difference difference =
	    compare(REPORT(-7, FINDING("a", -5, -1)), REPORT(7e300, FINDING("a", 1e300, 1e300)));
	ck_assert_uint_eq(difference.finding_count, 1);
	ck_assert_double_eq(difference.old.findings.first->bytes, 0);
	ck_assert_double_eq(difference.old.findings.first->count, 0);
	ck_assert_double_lt(difference.new.findings.first->bytes, 0x1p63);
	ck_assert_double_lt(difference.new.findings.first->count, 0x1p63);
	ck_assert_int_ge(difference.new.findings.first->pid, 0);
}
END_TEST

START_TEST(refuses_what_is_no_report)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"schema\": \"other/1\", \"findings\": []}",
		"{\"schema\": \"whoholds/10\", \"findings\": []}",
		"{\"schema\": \"whoholds/1\"}",
		"{\"schema\": \"whoholds/1\", \"findings\": 5}",
		"{\"schema\": \"whoholds/1\"",
		"{\"schema\": \"whoholds/1\", \"findings\": [{\"kind\": \"leak\"}]}",
		"{\"schema\": \"whoholds/1\", \"findings\": []} x",
		"{\"schema\" \"whoholds/1\"}",
		"{\"schema\": \"whoholds/1\", }",
		"nonsense",
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct run_tally run = { 0 };
		arena_reset(&arena);
		ck_assert_msg(run_tally_read(&run, &arena, texts[i]) == -EINVAL, "%s", texts[i]);
	}
}
END_TEST

/* An empty file beside an empty list: of a run that was cut short nobody may believe that it found nothing. */
START_TEST(tells_an_empty_file_from_an_empty_report)
{
	struct run_tally run = { 0 };
	arena_reset(&arena);
	ck_assert_int_eq(run_tally_read(&run, &arena, ""), -ENODATA);
	ck_assert_int_eq(run_tally_read(&run, &arena, " \n"), -ENODATA);
	ck_assert_int_eq(run_tally_read(&run, &arena, REPORT(1, "")), 0);
	ck_assert_uint_eq(run.findings.count, 0);
}
END_TEST

/* Half of them of one id, in processes of their own. */
START_TEST(many_findings)
{
	enum { MANY = 4000 };
	static char both[2][MANY * 100];
	for (int run = 0; run < 2; run++) {
		char *at = both[run];
		at += sprintf(at, "{\"schema\": \"whoholds/1\", \"process\": {\"pid\": 1}, \"findings\": [");
		for (int i = 0; i < MANY / 2; i++)
			at +=
			    sprintf(at, "%s{\"id\": \"a%d\", \"bytes\": %d}", i ? "," : "", i + run, i + run);
		at += sprintf(at, "]}\n");
		for (int i = 0; i < MANY / 2; i++)
			at +=
			    sprintf(at,
				    "{\"schema\": \"whoholds/1\", \"process\": {\"pid\": %d}, \"findings\": "
				    "[{\"id\": \"b\", \"bytes\": 2}]}\n",
				    2 + i);
	}
	struct difference difference = compare(both[0], both[1]);
	ck_assert_uint_eq(difference.same, MANY / 2);
	ck_assert_uint_eq(difference.finding_count, 2);
	ck_assert_str_eq(difference.findings[0].new->id, "a2000");
	ck_assert_str_eq(difference.findings[1].old->id, "a0");
}
END_TEST

START_TEST(reads_what_json_allows)
{
	const char *at = " { \"a\" : [ 1 , -2.5e3, true , false, null, \"\\u00e4\\n\\\"\\ud83d\\ude00\" ] , "
			 "\"b\":{} }  next";
	arena_reset(&arena);
	const struct json_value *value = json_read(&arena, &at);
	ck_assert_ptr_nonnull(value);
	ck_assert_str_eq(at, "next");
	const struct json_value *item = json_member(value, "a")->first;
	ck_assert_double_eq(item->number, 1);
	item = item->next;
	ck_assert_double_eq(item->number, -2500);
	ck_assert_int_eq((item = item->next)->type, JSON_TRUE);
	ck_assert_int_eq((item = item->next)->type, JSON_FALSE);
	ck_assert_int_eq((item = item->next)->type, JSON_NULL);
	ck_assert_str_eq((item = item->next)->string, "\303\244\n\"\360\237\230\200");
	ck_assert_ptr_null(item->next);
	ck_assert_int_eq(json_member(value, "b")->type, JSON_OBJECT);
	ck_assert_ptr_null(json_member(value, "c"));
	ck_assert_ptr_null(json_member(item, "c"));
}
END_TEST

/* Every beginning of a report, and depth without end: an answer, and no byte behind the text. */
START_TEST(survives_hostile_texts)
{
	static const char whole[] = REPORT(1, FINDING("a\\u12", 1, 1));
	for (size_t length = 0; length < sizeof whole; length++) {
		char *text = malloc(length + 1);
		const char *at = text;
		memcpy(text, whole, length);
		text[length] = '\0';
		arena_reset(&arena);
		json_read(&arena, &at);
		free(text);
	}
	static const char *const broken[] = {
		"\"\\", "\"\\u", "\"\\u00", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\u0000\"", "-", "\"\1\""
	};
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		const char *at = broken[i];
		ck_assert_msg(!json_read(&arena, &at), "%s", broken[i]);
	}
	char *deep = malloc(100001);
	const char *at = deep;
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	ck_assert_ptr_null(json_read(&arena, &at));
	free(deep);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/difference");
	TCase *tests = tcase_create("difference");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, knows_findings_by_their_ids);
	tcase_add_test(tests, two_of_one_id_are_told_apart_by_their_lines);
	tcase_add_test(tests, lines_that_have_moved_make_nothing_new);
	tcase_add_test(tests, processes_add_up_and_reports_of_one_do_not);
	tcase_add_test(tests, amounts_that_nobody_can_have);
	tcase_add_test(tests, refuses_what_is_no_report);
	tcase_add_test(tests, tells_an_empty_file_from_an_empty_report);
	tcase_add_test(tests, many_findings);
	tcase_add_test(tests, reads_what_json_allows);
	tcase_add_test(tests, survives_hostile_texts);
	int failed = suite_run(suite);
	arena_release(&arena);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
