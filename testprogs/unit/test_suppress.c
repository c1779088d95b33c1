/* Suppressions: what is read, what is refused and with which words, what matches. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_report.h"
#include "suite.h"

static struct suppressions suppressions;
static char message[300];

static int load(const char *text)
{
	struct text error = TEXT_OF(message);
	message[0] = '\0';
	suppress_init(&suppressions, &fake.arena);
	return suppress_load(&suppressions, text, strlen(text), "app.supp", &error);
}

static const struct suppression *match(const struct finding *finding)
{
	return suppress_match(&suppressions, finding, &fake.view, fake.report.symbolizer, &fake.scratch);
}

static struct finding *finding_in(enum finding_kind kind, const char *function)
{
	struct finding *finding = fake_finding(kind, 0, 0);
	stack_id stack = fake_stack(fake_function_in(FAKE_LIBC, "malloc"),
				    fake_function(function, "/src/db/load.c", 42), UINT64_C(0));
	fake_item_stack(finding, ROLE_allocated, 0, stack);
	return finding;
}

START_TEST(test_patterns)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "load", "load_row", true },
		{ "row", "load_row", true },
		{ "load_row", "load_ro", false },
		{ "^load", "load_row", true },
		{ "^row", "load_row", false },
		{ "row$", "load_row", true },
		{ "load$", "load_row", false },
		{ "^load_row$", "load_row", true },
		{ "^load_row$", "load_rows", false },
		{ "^load_row$", "preload_row", false },
		{ "l*w", "a load_row b", true },
		{ "l*x", "load_row", false },
		{ "^l*w$", "load_row row", true },
		{ "^l*w$", "load_row ro", false },
		{ "l?ad", "load", true },
		{ "^l?d$", "load", false },
		{ "^??$", "ab", true },
		{ "^??$", "abc", false },
		{ "*", "", true },
		{ "a*b*c", "a1b2b3c", true },
		{ "a*b*c$", "a1b2b3cd", false },
		{ "aab", "aaab", true },
		{ "^a*aab$", "aaaab", true },
		{ "std::vector<int*>", "std::vector<int*>::push_back", true },
		{ "^$", "", true },
		{ "^$", "x", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_msg(suppress_pattern_matches(cases[i].pattern, cases[i].text) == cases[i].matches,
			      "'%s' on '%s' should be %d", cases[i].pattern, cases[i].text, cases[i].matches);
}
END_TEST

START_TEST(test_pattern_cost)
{
	/* Exponential in a naive matcher. */
	char text[5001];
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert(!suppress_pattern_matches("a*a*a*a*a*a*a*a*a*a*a*b", text));
}
END_TEST

START_TEST(test_reads)
{
	fake_clear();
	ck_assert_int_eq(
	    load("\xef\xbb\xbf# of the team\n\n  leak:load_row  \r\nstuck-holder: scan*\nleak:last"), 0);
	ck_assert_uint_eq(suppressions.count, 3);
	const struct suppression *at = suppressions.first;
	ck_assert_str_eq(at->written, "leak:load_row");
	ck_assert_str_eq(at->pattern, "load_row");
	ck_assert_uint_eq(at->line, 3);
	ck_assert_str_eq(at->next->pattern, "scan*");
	ck_assert_uint_eq(at->next->line, 4);
	ck_assert_str_eq(at->next->next->pattern, "last");
	ck_assert_ptr_null(at->next->next->next);
}
END_TEST

START_TEST(test_refuses)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "leak:a\nload_row\n", "app.supp:2: 'load_row' is no suppression, expected kind:pattern" },
		{ "leek:a\n",
		  "app.supp:1: 'leek' is no kind of finding, expected one of 'whoholds help kinds'" },
		{ "\n\nleak:\n", "app.supp:3: 'leak:' has no pattern" },
		{ "leak:   \n", "app.supp:1: 'leak:' has no pattern" },
		{ "leak:^\n", "app.supp:1: 'leak:^' has no pattern" },
		{ ":a\n", "app.supp:1: '' is no kind" },
		{ "{\n  <insert_a_name>\n  Memcheck:Leak\n}\n", "app.supp:1: '{' is no suppression" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fake_clear();
		ck_assert_int_eq(load(cases[i].text), -22);
		ck_assert_msg(strncmp(message, cases[i].words, strlen(cases[i].words)) == 0, "'%s'", message);
	}
	struct text error = TEXT_OF(message);
	fake_clear();
	suppress_init(&suppressions, &fake.arena);
	ck_assert_int_eq(suppress_load(&suppressions, "leak:a\0b\n", 9, "f", &error), -22);
	/* A line that is too long to be said whole. */
	char line[70000];
	memset(line, 'x', sizeof line);
	error = TEXT_OF(message);
	ck_assert_int_eq(suppress_load(&suppressions, line, sizeof line, "f", &error), -22);
	ck_assert(error.used < 200);
}
END_TEST

START_TEST(test_keeps_what_stood_before)
{
	fake_clear();
	ck_assert_int_eq(load("leak:load_row\nnonsense\n"), -22);
	ck_assert_uint_eq(suppressions.count, 1);
	ck_assert_ptr_nonnull(match(finding_in(FINDING_leak, "load_row")));
}
END_TEST

START_TEST(test_matches_frames)
{
	static const struct {
		const char *line;
		bool matches;
	} cases[] = {
		{ "leak:load_row", true },
		{ "leak:malloc", true },
		{ "leak:db/load.c", true },
		{ "leak:/opt/app/server", true },
		{ "leak:libc.so", true },
		{ "leak:save_row", false },
		{ "possible-leak:load_row", false },
		{ "leak:^load_row$", true },
		{ "leak:^oad_row$", false },
		{ "*:load_row", true },
		{ "leak:*", true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fake_clear();
		ck_assert_int_eq(load(cases[i].line), 0);
		const struct suppression *found = match(finding_in(FINDING_leak, "load_row"));
		ck_assert_msg(!found == !cases[i].matches, "%s", cases[i].line);
	}
}
END_TEST

START_TEST(test_names_of_others)
{
	static const struct {
		const char *line;
		enum finding_kind kind;
		bool matches;
	} cases[] = {
		{ "leak:f", FINDING_possible_leak, true },     { "leak:f", FINDING_double_free, false },
		{ "deadlock:f", FINDING_lock_order, true },    { "deadlock:f", FINDING_deadlock, true },
		{ "mutex:f", FINDING_destroyed_in_use, true }, { "mutex:f", FINDING_deadlock, false },
		{ "thread:f", FINDING_thread_leak, true },     { "race:f", FINDING_deadlock, false },
		{ "called_from_lib:f", FINDING_leak, false },  { "signal:f", FINDING_leak, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fake_clear();
		ck_assert_int_eq(load(cases[i].line), 0);
		ck_assert_msg(!match(finding_in(cases[i].kind, "f")) == !cases[i].matches, "%s, case %zu",
			      cases[i].line, i);
	}
}
END_TEST

START_TEST(test_counts_and_unused)
{
	fake_clear();
	ck_assert_int_eq(load("leak:never\nleak:load\nleak:load_row\ngrowth:x\n"), 0);
	struct finding *finding = finding_in(FINDING_leak, "load_row");
	ck_assert_str_eq(match(finding)->written, "leak:load");
	ck_assert_str_eq(match(finding)->written, "leak:load");
	ck_assert_uint_eq(suppressions.first->next->matches, 2);
	const struct suppression *unused = suppress_unused(&suppressions, NULL);
	ck_assert_str_eq(unused->written, "leak:never");
	unused = suppress_unused(&suppressions, unused);
	ck_assert_str_eq(unused->written, "leak:load_row");
	unused = suppress_unused(&suppressions, unused);
	ck_assert_str_eq(unused->written, "growth:x");
	ck_assert_ptr_null(suppress_unused(&suppressions, unused));
}
END_TEST

START_TEST(test_without_frames)
{
	fake_clear();
	ck_assert_int_eq(load("heap-growth:*\nleak:zzz\n"), 0);
	ck_assert_ptr_nonnull(match(fake_finding(FINDING_heap_growth, 0, 0)));
	ck_assert_ptr_null(match(fake_finding(FINDING_leak, 0, 0)));
	/* A finding whose numbers lie. */
	struct finding *finding = finding_in(FINDING_leak, "f");
	finding->item_count = UINT32_MAX;
	ck_assert_ptr_null(match(finding));
	finding->items[0].stack = 0x1fffffff;
	ck_assert_ptr_null(match(finding));
	finding->kind = 60000;
	ck_assert_ptr_null(match(finding));
	finding->bytes = 3;
	ck_assert_ptr_null(match(finding));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress");
	TCase *tests = tcase_create("suppress");
	tcase_add_test(tests, test_patterns);
	tcase_add_test(tests, test_pattern_cost);
	tcase_add_test(tests, test_reads);
	tcase_add_test(tests, test_refuses);
	tcase_add_test(tests, test_keeps_what_stood_before);
	tcase_add_test(tests, test_matches_frames);
	tcase_add_test(tests, test_names_of_others);
	tcase_add_test(tests, test_counts_and_unused);
	tcase_add_test(tests, test_without_frames);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	fake_clear();
	return failed != 0;
}
