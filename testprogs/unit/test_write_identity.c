/* Ids of findings, stems of functions, suppression lines; frames of the plain symbolizer. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_report.h"
#include "reporter/write/identity.h"

#include "suite.h"

static struct names names;

static const char *id_of(const struct finding *finding)
{
	names_init(&names, &fake.report);
	return finding_id(&names, finding);
}

START_TEST(test_stems)
{
	static const struct {
		const char *function, *stem;
	} cases[] = {
		{ "load_row", "load_row" },
		{ "load_row.cold", "load_row" },
		{ "load_row.isra.0", "load_row" },
		{ "load_row.part.12.cold", "load_row" },
		{ "load_row.constprop.0.isra.3", "load_row" },
		{ "load_row.lto_priv.0", "load_row" },
		{ "load_row [clone .cold]", "load_row" },
		{ "load_row.data", "load_row.data" },
		{ "db::load(int, char const*)", "db::load" },
		{ "db::Row::size() const", "db::Row::size" },
		{ "db::load(int) [clone .isra.0]", "db::load" },
		{ "void db::load<int>(std::vector<int, std::allocator<int> >&)", "db::load<int>" },
		{ "unsigned long db::count<(anonymous namespace)::K>(int)",
		  "db::count<(anonymous namespace)::K>" },
		{ "(anonymous namespace)::load(int)", "(anonymous namespace)::load" },
		{ "db::(anonymous namespace)::load(int)", "db::(anonymous namespace)::load" },
		{ "main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()" },
		{ "db::run()::{lambda()#2}::operator()() const", "db::run()::{lambda()#2}::operator()" },
		{ "db::run() const::{lambda()#2}::operator()() const",
		  "db::run() const::{lambda()#2}::operator()" },
		{ "operator new(unsigned long)", "operator new" },
		{ "operator delete[](void*, unsigned long)", "operator delete[]" },
		{ "db::Row::operator<(db::Row const&) const", "db::Row::operator<" },
		{ "db::Row::operator()(int)", "db::Row::operator()" },
		{ "std::ostream& db::operator<< <int>(std::ostream&, db::Row<int> const&)",
		  "db::operator<< <int>" },
		{ "server::conn::read::h0123456789abcdef", "server::conn::read" },
		{ "<alloc::vec::Vec<T> as core::ops::Drop>::drop",
		  "<alloc::vec::Vec<T> as core::ops::Drop>::drop" },
		{ "server::main::{{closure}}", "server::main::{{closure}}" },
		{ "f(", "f" },
		{ "f<", "f<" },
		{ "", "" },
		{ ".cold", ".cold" },
		{ "(", "(" },
		{ ")(<>", ")" },
		{ " ", " " },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t length;
		const char *stem = function_stem(cases[i].function, &length);
		ck_assert_msg(length == strlen(cases[i].stem) && memcmp(stem, cases[i].stem, length) == 0,
			      "'%s' gives '%.*s', expected '%s'", cases[i].function, (int)length, stem,
			      cases[i].stem);
	}
}
END_TEST

START_TEST(test_own_frames)
{
	static const struct {
		struct frame frame;
		bool own;
	} cases[] = {
		{ { .function = "load", .module = "/opt/server" }, true },
		{ { .function = "malloc", .module = "/lib/x86_64-linux-gnu/libc.so.6" }, false },
		{ { .function = NULL, .module = "/lib64/ld-linux-x86-64.so.2" }, false },
		{ { .function = NULL, .module = "/opt/server" }, true },
		{ { .function = "std::vector<int>::push_back(int&&)", .module = "/opt/server" }, false },
		{ { .function = "void std::vector<int>::_M_realloc_insert<int>(int)",
		    .module = "/opt/server" },
		  false },
		{ { .function = "standard::load()", .module = "/opt/server" }, true },
		{ { .function = "operator new(unsigned long)", .module = "/usr/lib/libstdc++.so.6" }, false },
		{ { .function = "operator new(unsigned long)", .module = "/opt/server" }, false },
		{ { .function = "alloc::raw_vec::finish_grow", .module = "/opt/server" }, false },
		{ { .function = "allocate", .module = "/opt/server" }, true },
		{ { .function = NULL, .module = NULL }, false },
		{ { .function = "imap", .module = "/usr/lib/libc-client.so.2007e" }, true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_msg(frame_is_own(&cases[i].frame) == cases[i].own, "case %zu", i);
}
END_TEST

START_TEST(test_allocators)
{
	static const struct {
		const char *function;
		bool allocator;
	} cases[] = {
		{ "xmalloc", true },
		{ "malloc", true },
		{ "g_malloc0_n", true },
		{ "PyMem_RawMalloc", true },
		{ "tor_malloc_", true },
		{ "x265::x265_malloc(unsigned long)", true },
		{ "bu_strdup.cold", true },
		{ "alloc", false },
		{ "session_alloc", false },
		{ "mallocator", false },
		{ "malloc_session", false },
		{ "loc", false },
		{ "_0", false },
		{ "", false },
		{ NULL, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct frame frame = { .function = cases[i].function, .module = "/opt/server" };
		ck_assert_msg(frame_is_allocator(&frame) == cases[i].allocator, "case %zu", i);
	}
}
END_TEST

/* A leak in the functions given, innermost first, as many as are not NULL, in one more run of the program. */
static const char *leak_id(const char *first, const char *second, const char *third, unsigned run)
{
	const char *const functions[] = { first, second, third };
	uint64_t addresses[5] = { 0 };
	uint16_t count = 0;
	fake_clear();
	for (unsigned i = 0; i < run; i++)
		fake_function("padding", "x.c", 1);
	addresses[count++] = fake_function_in(FAKE_LIBC, run % 2 ? "malloc" : "__libc_malloc");
	for (size_t i = 0; i < COUNT_OF(functions) && functions[i]; i++)
		addresses[count++] = fake_function(functions[i], "/src/db.c", 10 + run);
	fake.header->pid = (int32_t)(1000 + run);
	struct finding *finding = fake_finding(FINDING_leak, 0, run * NSEC_PER_SEC);
	fake_item_stack(finding, ROLE_allocated, 0, fake_stack_of(addresses, count, 0));
	finding->amount = run * 100;
	return id_of(finding);
}

START_TEST(test_id_is_stable)
{
	char expected[32];
	snprintf(expected, sizeof expected, "%s", leak_id("load_row", "load_all", "main", 1));
	/* A baseline lives longer than this version: what this number is must not change by accident. */
	ck_assert_str_eq(expected, "leak-3661a7d3");
	ck_assert_str_eq(leak_id("load_row", "load_all", "main", 2), expected);
	ck_assert_str_eq(leak_id("load_row.isra.0", "load_all.part.3.cold", "main", 3), expected);
	ck_assert_str_eq(leak_id("load_row(int)", "void load_all(long)", "main", 4), expected);
	ck_assert_str_ne(leak_id("load_row", "main", NULL, 1), expected);
	ck_assert_str_ne(leak_id("load_all", "load_row", "main", 1), expected);
	ck_assert_str_ne(leak_id("load_ro", "wload_all", "main", 1), expected);
	snprintf(expected, sizeof expected, "%s", leak_id("walk", "main", NULL, 1));
	ck_assert_str_eq(leak_id("walk", "walk", "main", 1), expected);
}
END_TEST

START_TEST(test_id_without_symbols)
{
	fake_clear();
	struct finding *first = fake_finding(FINDING_leak, 0, 0), *second = fake_finding(FINDING_leak, 0, 0);
	struct finding *none = fake_finding(FINDING_leak, 0, 0);
	fake_item_stack(
	    first, ROLE_allocated, 0,
	    fake_stack(fake_nameless(FAKE_PROGRAM, 0x100), fake_nameless(FAKE_PROGRAM, 0x200), UINT64_C(0)));
	fake_item_stack(second, ROLE_allocated, 0,
			fake_stack(fake_nameless(FAKE_PROGRAM, 0x900), UINT64_C(0)));
	char expected[32];
	snprintf(expected, sizeof expected, "%s", id_of(first));
	ck_assert_str_eq(id_of(second), expected);
	ck_assert_str_ne(id_of(none), expected);
	ck_assert_str_eq(finding_suppression(&names, first), "leak:server");
	ck_assert_str_eq(finding_suppression(&names, none), "leak:*");
	struct finding *empty = fake_finding(FINDING_leak, 0, 0), *dollar = fake_finding(FINDING_leak, 0, 0);
	fake_item_stack(empty, ROLE_allocated, 0, fake_stack(fake_function("", "", 1), UINT64_C(0)));
	fake_item_stack(dollar, ROLE_allocated, 0, fake_stack(fake_function("cash$", "", 1), UINT64_C(0)));
	ck_assert_str_eq(finding_suppression(&names, empty), "leak:*");
	ck_assert_str_eq(finding_suppression(&names, dollar), "leak:cash$*");
}
END_TEST

/* Who called it is meant, unless nothing is known of it. */
START_TEST(test_suppression_of_allocator)
{
	fake_clear();
	uint64_t allocator = fake_function("xmalloc", "xmalloc.c", 1),
		 above = fake_function("xstrdup", "", 1);
	uint64_t load = fake_function("load", "load.c", 1), nameless = fake_nameless(FAKE_PROGRAM, 0x100);
	struct finding *findings[4];
	for (unsigned i = 0; i < COUNT_OF(findings); i++)
		findings[i] = fake_finding(FINDING_leak, 0, 0);
	fake_item_stack(findings[0], ROLE_allocated, 0, fake_stack(allocator, load, UINT64_C(0)));
	fake_item_stack(findings[1], ROLE_allocated, 0, fake_stack(allocator, above, load, UINT64_C(0)));
	fake_item_stack(findings[2], ROLE_allocated, 0, fake_stack(allocator, nameless, load, UINT64_C(0)));
	fake_item_stack(findings[3], ROLE_allocated, 0, fake_stack(allocator, UINT64_C(0)));
	names_init(&names, &fake.report);
	ck_assert_str_eq(finding_suppression(&names, findings[0]), "leak:load");
	ck_assert_str_eq(finding_suppression(&names, findings[1]), "leak:load");
	ck_assert_str_eq(finding_suppression(&names, findings[2]), "leak:xmalloc");
	ck_assert_str_eq(finding_suppression(&names, findings[3]), "leak:xmalloc");
}
END_TEST

/* The ring of `count` threads that scene, told from thread `first` on. */
static const char *ring_id(unsigned first, bool with_victim)
{
	fake_scene_deadlock();
	const struct finding *scene = fake.findings.found[0];
	struct finding *turned = fake_finding(FINDING_deadlock, 2 + first, 0);
	for (uint32_t i = 0; i < 4; i++)
		*finding_add(turned, ROLE_other, 64) = scene->items[(i + 2 * first) % 4];
	if (with_victim) {
		struct snap_thread *victim = fake_thread(9, "victim");
		fake_wait(victim, KIND_MUTEX, 1, OP_pthread_mutex_lock,
			  fake_stack(fake_function("victim", "v.c", 1), UINT64_C(0)), 1);
		fake_item_wait(turned, ROLE_waits, victim);
	}
	return id_of(turned);
}

START_TEST(test_id_from_either_end)
{
	char expected[32];
	snprintf(expected, sizeof expected, "%s", ring_id(0, false));
	ck_assert_str_eq(ring_id(1, false), expected);
	ck_assert_str_eq(ring_id(0, true), expected);
	fake_scene_deadlock();
	struct finding *finding = fake.findings.found[0];
	finding->items[0].stack = finding->items[2].stack;
	ck_assert_str_ne(id_of(finding), expected);
}
END_TEST

START_TEST(test_id_ignores_who_waits)
{
	char expected[32];
	fake_scene_stuck_holder();
	snprintf(expected, sizeof expected, "%s", id_of(fake.findings.found[0]));
	fake_scene_stuck_holder();
	struct finding *finding = fake.findings.found[0];
	finding->item_count = 3;
	ck_assert_str_eq(id_of(finding), expected);
	finding->item_count = 2;
	ck_assert_str_ne(id_of(finding), expected);
}
END_TEST

START_TEST(test_suppression_line_fits)
{
	void (*const scenes[])(void) = { fake_scene_stuck_holder, fake_scene_deadlock, fake_scene_leaks };
	for (size_t scene = 0; scene < COUNT_OF(scenes); scene++) {
		scenes[scene]();
		names_init(&names, &fake.report);
		for (uint32_t i = 0; i < fake.findings.count; i++) {
			const struct finding *finding = fake.findings.found[i];
			const char *line = finding_suppression(&names, finding);
			struct suppressions suppressions;
			char buffer[200];
			struct text error = TEXT_OF(buffer);
			suppress_init(&suppressions, &fake.arena);
			ck_assert_msg(!suppress_load(&suppressions, line, strlen(line), "f", &error), "%s",
				      line);
			ck_assert_msg(suppress_match(&suppressions, finding, &fake.view,
						     fake.report.symbolizer, &fake.arena) != NULL,
				      "%s", line);
		}
	}
	fake_scene_leaks();
	names_init(&names, &fake.report);
	ck_assert_str_eq(finding_suppression(&names, fake.findings.found[0]), "leak:load_row");
	ck_assert_str_eq(finding_suppression(&names, fake.findings.found[2]), "leak:load_row");
}
END_TEST

START_TEST(test_plain_symbolizer)
{
	fake_clear();
	struct frame *frames;
	uint64_t addresses[] = { FAKE_PROGRAM + 0x1234, FAKE_LIBC + 0x10, 0x42, 0 };
	stack_id stack = fake_stack_of(addresses, 4, 0);
	size_t count = symbolizer_plain.frames(&symbolizer_plain, &fake.view, stack, &fake.scratch, &frames);
	ck_assert_uint_eq(count, 4);
	ck_assert_str_eq(frames[0].module, "/opt/app/server");
	ck_assert_uint_eq(frames[0].offset, 0x1233);
	ck_assert_str_eq(frames[0].build_id, "abcd0108");
	ck_assert_ptr_null(frames[0].function);
	ck_assert_str_eq(frames[1].build_id, "abcd0104");
	ck_assert_ptr_null(frames[2].module);
	ck_assert_uint_eq(frames[2].offset, 0x41);
	ck_assert_uint_eq(frames[3].offset, 0);
	stack = fake_stack_of(addresses, 1, STACK_EXACT_PC);
	symbolizer_plain.frames(&symbolizer_plain, &fake.view, stack, &fake.scratch, &frames);
	ck_assert_uint_eq(frames[0].offset, 0x1234);
	ck_assert_uint_eq(
	    symbolizer_plain.frames(&symbolizer_plain, &fake.view, 0x1fffffff, &fake.scratch, &frames), 0);
	const char *name =
	    symbolizer_plain.data(&symbolizer_plain, &fake.view, FAKE_PROGRAM + 0x4060, &fake.scratch);
	ck_assert_str_eq(name, "server+0x4060");
	ck_assert_ptr_null(symbolizer_plain.data(&symbolizer_plain, &fake.view, 0x10, &fake.scratch));
}
END_TEST

START_TEST(test_plain_symbolizer_by_epoch)
{
	fake_clear();
	struct rec_module *modules = (struct rec_module *)fake.view.tables[REC_MODULES];
	modules[0].unloaded = 2;
	modules[1].start = modules[1].bias = FAKE_PROGRAM;
	modules[1].end = FAKE_PROGRAM + 0x10000;
	modules[1].loaded = 2;
	struct frame *frames;
	uint64_t address = FAKE_PROGRAM + 0x100;
	stack_id before = fake_stack_of(&address, 1, 0), after = fake_stack_of(&address, 1, 0);
	((struct rec_stack *)view_stack(&fake.view, after))->epoch = 2;
	symbolizer_plain.frames(&symbolizer_plain, &fake.view, before, &fake.scratch, &frames);
	ck_assert_str_eq(path_base(frames[0].module), "server");
	symbolizer_plain.frames(&symbolizer_plain, &fake.view, after, &fake.scratch, &frames);
	ck_assert_str_eq(path_base(frames[0].module), "libc.so.6");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity");
	TCase *tests = tcase_create("identity");
	tcase_add_test(tests, test_stems);
	tcase_add_test(tests, test_own_frames);
	tcase_add_test(tests, test_allocators);
	tcase_add_test(tests, test_suppression_of_allocator);
	tcase_add_test(tests, test_id_is_stable);
	tcase_add_test(tests, test_id_without_symbols);
	tcase_add_test(tests, test_id_from_either_end);
	tcase_add_test(tests, test_id_ignores_who_waits);
	tcase_add_test(tests, test_suppression_line_fits);
	tcase_add_test(tests, test_plain_symbolizer);
	tcase_add_test(tests, test_plain_symbolizer_by_epoch);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	fake_clear();
	return failed != 0;
}
