/* Pairs in a config file: the grammar, its mistakes with line and what was expected, conditions. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pairs.h"

#include "testprogs/unit/suite.h"

static char complaints[4096];

static void *more(size_t bytes)
{
	return calloc(1, bytes);
}

static void less(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static struct arena arena = { .more = more, .less = less };

static void complain(uint32_t line, const char *message, void *data)
{
	size_t used = strlen(complaints);
	struct text text = { .at = complaints, .size = sizeof complaints, .used = used };
	(void)data;
	text_format(&text, "%u: %s\n", line, message);
}

static int parse(struct pairs *pairs, const char *text)
{
	*pairs = (struct pairs){ 0 };
	complaints[0] = '\0';
	arena_reset(&arena);
	return pairs_parse(pairs, &arena, text, strlen(text), complain, NULL);
}

static bool same_value(struct pair_value value, enum pair_source source, unsigned number, bool is_int)
{
	return value.source == source && value.number == number && value.is_int == is_int;
}

START_TEST(takes_the_example)
{
	struct pairs pairs;
	ck_assert_int_eq(
	    parse(&pairs,
		  "# LMDB\n"
		  "[pair \"lmdb cursor\"]\n"
		  "acquire  = mdb_cursor_open     handle = *arg2   container = arg1   when = ret == 0\n"
		  "release  = mdb_cursor_close    handle = arg1\n"
		  "kind     = iterator\n"),
	    0);
	ck_assert_uint_eq(pairs.pair_count, 1);
	ck_assert_str_eq(pairs.pairs[0].name, "lmdb cursor");
	ck_assert_int_eq(pairs.pairs[0].kind, KIND_ITERATOR);
	ck_assert_uint_eq(pairs.line_count, 2);
	const struct pair_line *open = &pairs.lines[0], *close = &pairs.lines[1];
	ck_assert(open->acquires && !close->acquires);
	ck_assert_str_eq(open->function, "mdb_cursor_open");
	ck_assert(same_value(open->handle, PAIR_AT_ARG, 2, false));
	ck_assert(same_value(open->container, PAIR_ARG, 1, false));
	ck_assert(open->when.test == PAIR_EQ && open->when.value == 0 && !open->when.is_pointer);
	ck_assert(same_value(close->handle, PAIR_ARG, 1, false));
	ck_assert_int_eq(close->when.test, PAIR_ALWAYS);
}
END_TEST

START_TEST(takes_what_is_left_out_for_granted)
{
	struct pairs pairs;
	ck_assert_int_eq(parse(&pairs, "blocked = 3s\nnot read here\n\n"
				       "[pair \"a\"] # first\n"
				       "\tacquire=a_open handle=ret#x\n"
				       " acquire = a_open_id when = ret >= 0 handle = (int) ret\n"
				       "acquire = a_slot handle = (int)ret\n"
				       "release = a_close handle = arg6 when = ret != -1\n"
				       "release = a_free handle = *arg1\n"
				       "[ pair \"b\" ]\r\n"
				       "release = b_close handle = (int)arg1\r\n"
				       "acquire = b_open handle = ret when = ret != 0\n"
				       "acquire = b_make handle = arg1"),
			 0);
	ck_assert_uint_eq(pairs.pair_count, 2);
	ck_assert_uint_eq(pairs.line_count, 8);
	ck_assert_int_eq(pairs.pairs[0].kind, KIND_RESOURCE);
	ck_assert(pairs.lines[0].when.test == PAIR_NE && pairs.lines[0].when.is_pointer);
	ck_assert(pairs.lines[1].when.test == PAIR_GE && !pairs.lines[1].when.is_pointer);
	ck_assert(same_value(pairs.lines[2].handle, PAIR_RET, 0, true));
	ck_assert_int_eq(pairs.lines[2].when.test, PAIR_GE);
	ck_assert_int_eq(pairs.lines[3].when.value, -1);
	ck_assert(same_value(pairs.lines[3].handle, PAIR_ARG, 6, false));
	ck_assert(pairs.lines[6].when.is_pointer);
	ck_assert_int_eq(pairs.lines[7].when.test, PAIR_ALWAYS);
	ck_assert_uint_eq(pairs.lines[7].pair, 1);
}
END_TEST

/* Each is a section that is good but for one line; the message names what is wanted. */
static const struct {
	const char *text;
	const char *says;
} mistakes[] = {
	{ "acquire = f", "3: acquire = f lacks a handle" },
	{ "acquire = f handle = arg7", "3: ret, arg1 to arg6" },
	{ "acquire = f handle = arg0", "3: ret, arg1 to arg6" },
	{ "acquire = f handle = arg12", "3: ret, arg1 to arg6" },
	{ "acquire = f handle = *ret", "3: ret, arg1 to arg6" },
	{ "acquire = f handle = ", "3: ret, arg1 to arg6" },
	{ "acquire = f handle", "3: handle = ..., container" },
	{ "acquire = f handle = ret when = ret", "3: a condition such as ret == 0" },
	{ "acquire = f handle = ret when = ret = 0", "3: a condition such as ret == 0" },
	{ "acquire = f handle = ret when = ret >= NULL", "3: a condition such as ret == 0" },
	{ "acquire = f handle = ret when = ret == 0x10", "3: a condition such as ret == 0" },
	{ "acquire = f handle = ret when = ret == 99999999999", "3: a condition such as ret == 0" },
	{ "acquire = f handle = ret when = arg1 == 0", "3: a condition such as ret == 0" },
	{ "acquire = f handle = ret handle = arg1", "3: handle is there twice" },
	{ "acquire = f handle = ret colour = red", "3: handle, container or when is expected, not 'colour'" },
	{ "acquire = ", "3: acquire = FUNCTION is expected" },
	{ "acquire = 2f handle = ret", "3: acquire = FUNCTION is expected" },
	{ "acquire = dlopen handle = ret", "3: dlopen can't be in a pair: it searches by who calls it" },
	{ "release = f handle = ret", "3: a release is known by an argument" },
	{ "kind = mutex", "3: kind is expected to be one of iterator, resource" },
	{ "kind = iterator\nkind = iterator", "4: kind is there twice" },
	{ "borrow = f handle = ret", "3: acquire = ..., release = ... or kind = ... is expected" },
	{ "just words", "3: acquire = ..., release = ... or kind = ... is expected" },
	{ "[couple \"x\"]", "3: [pair \"NAME\"] is expected, not '[couple \"x\"]'" },
	{ "[pair \"x]", "3: [pair \"NAME\"] is expected" },
	{ "[pair \"\"]", "3: [pair \"NAME\"] is expected" },
	{ "[pair \"x\"] y", "3: [pair \"NAME\"] is expected" },
};

START_TEST(says_what_was_expected)
{
	struct pairs pairs;
	char text[1024];
	struct text builder = TEXT_OF(text);
	text_format(&builder,
		    "[pair \"p\"]\nacquire = p_open handle = ret\n%s\nrelease = p_close handle = arg1\n",
		    mistakes[_i].text);
	int found = parse(&pairs, text);
	ck_assert_msg(found >= 1, "%s", mistakes[_i].text);
	ck_assert_msg(strncmp(complaints, mistakes[_i].says, strlen(mistakes[_i].says)) == 0 ||
			  strstr(complaints, mistakes[_i].says),
		      "%s: %s", mistakes[_i].text, complaints);
}
END_TEST

START_TEST(wants_both_sides)
{
	struct pairs pairs;
	ck_assert_int_eq(parse(&pairs, "\n[pair \"p\"]\nacquire = p_open handle = ret\n\n[pair \"q\"]\n"
				       "release = q_close handle = arg1\n[pair \"r\"]\n"
				       "acquire = r_open handle = ret\nrelease = r_close handle = arg1\n"),
			 2);
	ck_assert_ptr_nonnull(strstr(complaints, "2: [pair \"p\"] has no line release = ..."));
	ck_assert_ptr_nonnull(strstr(complaints, "5: [pair \"q\"] has no line acquire = ..."));
	/* What is good is there. */
	ck_assert_uint_eq(pairs.pair_count, 1);
	ck_assert_str_eq(pairs.pairs[0].name, "r");
	ck_assert_uint_eq(pairs.line_count, 2);
	ck_assert_str_eq(pairs.lines[0].function, "r_open");
}
END_TEST

START_TEST(reads_hostile_files)
{
	struct pairs pairs;
	static char text[200000];
	/* A line too long, a NUL, and more pairs than there is room for. */
	memset(text, 'a', 5000);
	memcpy(text, "[pair \"x\"]\n", 11);
	text[4000] = '\n';
	text[4500] = '\0';
	complaints[0] = '\0';
	pairs = (struct pairs){ 0 };
	ck_assert_int_ge(pairs_parse(&pairs, &arena, text, 5000, complain, NULL), 2);
	ck_assert_uint_eq(pairs.pair_count, 0);
	struct text builder = TEXT_OF(text);
	for (unsigned i = 0; i < PAIRS_MOST + 2; i++)
		text_format(&builder,
			    "[pair \"p%u\"]\nacquire = o%u handle = ret\nrelease = c%u handle = arg1\n", i, i,
			    i);
	ck_assert_int_eq(parse(&pairs, text), 2);
	ck_assert_uint_eq(pairs.pair_count, PAIRS_MOST);
	/* Every beginning of a good file, and every byte of it damaged. */
	const char *good =
	    "[pair \"p\"]\nacquire = f handle = (int) *arg2 container = arg1 when = ret >= -3\n"
	    "release = g handle = arg1\nkind = iterator\n";
	for (size_t at = 0; good[at]; at++) {
		struct text cut = TEXT_OF(text);
		text_bytes(&cut, good, at);
		parse(&pairs, text);
		for (int byte = 1; byte < 256; byte += 13) {
			cut = TEXT_OF(text);
			text_put(&cut, good);
			text[at] = (char)byte;
			parse(&pairs, text);
		}
	}
}
END_TEST

START_TEST(compares_results)
{
	struct pair_when zero = { .test = PAIR_EQ }, not_null = { .test = PAIR_NE, .is_pointer = true };
	struct pair_when at_least = { .test = PAIR_GE }, below = { .test = PAIR_LT };
	/* Of an int the upper half means nothing; of a pointer all of it does. */
	ck_assert(pair_holds(zero, UINT64_C(0xdead00000000)));
	ck_assert(pair_holds(not_null, UINT64_C(0xdead00000000)));
	ck_assert(!pair_holds(not_null, 0));
	ck_assert(!pair_holds(at_least, UINT64_C(0xffffffff)) && pair_holds(at_least, 0));
	ck_assert(pair_holds(below, UINT64_C(0x80000000)) && !pair_holds(below, 7));
	ck_assert(pair_holds((struct pair_when){ .test = PAIR_ALWAYS }, 0));
	ck_assert(pair_holds((struct pair_when){ .test = PAIR_GT, .value = 2 }, 3));
	ck_assert(pair_holds((struct pair_when){ .test = PAIR_LE, .value = 2 }, 2));
	ck_assert_ptr_null(pair_refused("fopen"));
	ck_assert_ptr_nonnull(pair_refused("vfork"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pairs");
	TCase *tests = tcase_create("pairs");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, takes_the_example);
	tcase_add_test(tests, takes_what_is_left_out_for_granted);
	tcase_add_loop_test(tests, says_what_was_expected, 0, sizeof mistakes / sizeof mistakes[0]);
	tcase_add_test(tests, wants_both_sides);
	tcase_add_test(tests, reads_hostile_files);
	tcase_add_test(tests, compares_results);
	int failed = suite_run(suite);
	arena_release(&arena);
	return failed != 0;
}
