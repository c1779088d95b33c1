/*
 * Frames of compiled programs: functions, inlined calls, files and lines, for
 * the compilers and the kinds of debugging information that are about. The
 * expectation stands in the programs (labels at lines that are known); and
 * llvm-symbolizer has to agree about addresses all over the text.
 */
#include "symbolize_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"

#include "suite.h"

/* The lines matter: LINE_* below. */
static const char c_program[] = "volatile int sink;\n"
				"static inline __attribute__((always_inline)) void innermost(int n)\n"
				"{\n"
				"	__asm__ volatile(\"probe_inner: .globl probe_inner\\n\\tnop\");\n"
				"	sink += n;\n"
				"}\n"
				"static inline __attribute__((always_inline)) void middle(int n)\n"
				"{\n"
				"	innermost(n + 1);\n"
				"}\n"
				"__attribute__((noinline)) int outer(int n)\n"
				"{\n"
				"	middle(n);\n"
				"	__asm__ volatile(\"probe_outer: .globl probe_outer\\n\\tnop\");\n"
				"	return sink;\n"
				"}\n"
				"__attribute__((noreturn, noinline)) void stop(void)\n"
				"{\n"
				"	for (;;)\n"
				"		sink++;\n"
				"}\n"
				"__attribute__((noinline)) void calls_last(void)\n"
				"{\n"
				"	stop();\n"
				"}\n"
				"__attribute__((noinline)) void after(void)\n"
				"{\n"
				"	sink--;\n"
				"}\n"
				"int pause(void);\n"
				"int main(int argc, char **argv)\n"
				"{\n"
				"	(void)argv;\n"
				"	if (argc > 2)\n"
				"		pause();\n"
				"	if (argc > 3)\n"
				"		calls_last();\n"
				"	after();\n"
				"	return outer(argc) > 1000;\n"
				"}\n";

static const char cxx_program[] =
    "namespace box {\n"
    "volatile int sink;\n"
    "template<class T> struct row {\n"
    "	T value;\n"
    "	__attribute__((noinline)) T scan(const T &by)\n"
    "	{\n"
    "		auto twice = [&](T n) { return n + n + by; };\n"
    "		return each(twice);\n"
    "	}\n"
    "	template<class F> inline __attribute__((always_inline)) T each(F f)\n"
    "	{\n"
    "		__asm__ volatile(\"probe_each: .globl probe_each\\n\\tnop\");\n"
    "		return f(value);\n"
    "	}\n"
    "};\n"
    "namespace { __attribute__((noinline)) int hidden(int n) { sink += n; return sink; } }\n"
    "}\n"
    "int main(int argc, char **)\n"
    "{\n"
    "	box::row<long> r = { argc };\n"
    "	return (int)r.scan(argc) + box::hidden(argc);\n"
    "}\n";

static const char rust_program[] =
    "use std::collections::HashMap;\n"
    "struct Row<T> { value: T }\n"
    "impl<T: Clone + std::fmt::Debug> Row<T> {\n"
    "    #[inline(never)] pub fn show(&self) -> String { let c = || format!(\"{:?}\", self.value.clone()); "
    "c() }\n"
    "}\n"
    "fn main() {\n"
    "    let mut m: HashMap<String, u32> = HashMap::new();\n"
    "    for i in 0..100u32 { *m.entry(i.to_string()).or_default() += i; }\n"
    "    let v: Vec<String> = m.keys().map(|k| Row { value: k.clone() }.show()).collect();\n"
    "    println!(\"{}\", v.len());\n"
    "}\n";

struct build {
	const char *name, *compiler, *command;
};

static const struct build c_builds[] = {
	{ "gcc0", "gcc", "gcc -O0 -g p.c -o gcc0" },
	{ "gcc2", "gcc", "gcc -O2 -g p.c -o gcc2" },
	{ "gcc4", "gcc", "gcc -O2 -gdwarf-4 p.c -o gcc4" },
	{ "gccfixed", "gcc", "gcc -O2 -g -no-pie p.c -o gccfixed" },
	{ "gccstatic", "gcc", "gcc -O1 -g -static-pie p.c -o gccstatic" },
	{ "gccgz", "gcc", "gcc -O2 -g -gz=zlib p.c -o gccgz" },
	{ "gcclto", "gcc", "gcc -O2 -g -flto p.c -o gcclto" },
	{ "gccsplit4", "gcc", "gcc -O2 -gdwarf-4 -gsplit-dwarf p.c -o gccsplit4" },
	{ "gccsplit5", "gcc", "gcc -O2 -g -gsplit-dwarf p.c -o gccsplit5" },
	{ "clang0", "clang", "clang -O0 -g p.c -o clang0" },
	{ "clang2", "clang", "clang -O2 -g p.c -o clang2" },
	{ "clang4", "clang", "clang -O2 -g -gdwarf-4 p.c -o clang4" },
	{ "clangfixed", "clang", "clang -O2 -g -no-pie p.c -o clangfixed" },
	{ "clangsplit", "clang", "clang -O2 -g -gsplit-dwarf p.c -o clangsplit" },
};

static const struct build cxx_builds[] = {
	{ "gxx0", "g++", "g++ -O0 -g q.cc -o gxx0" },
	{ "gxx2", "g++", "g++ -O2 -g q.cc -o gxx2" },
	{ "clangxx0", "clang++", "clang++ -O0 -g q.cc -o clangxx0" },
	{ "clangxx2", "clang++", "clang++ -O2 -g q.cc -o clangxx2" },
};

static const struct build rust_builds[] = {
	{ "rust", "rustc", "rustc -g -O r.rs -o rust" },
	{ "rustv0", "rustc", "rustc -g -C symbol-mangling-version=v0 r.rs -o rustv0" },
	{ "rustold", "rustc",
	  "rustc -g -C symbol-mangling-version=legacy -Z unstable-options r.rs -o rustold" },
};

static struct world world;

static bool build(const struct build *build)
{
	if (!installed(build->compiler)) {
		printf("  %s: not tested, %s is not installed\n", build->name, build->compiler);
		return false;
	}
	ck_assert_msg(run("%s", build->command), "%s", build->command);
	return true;
}

static void begin(void)
{
	world_init(&world);
}

static void end(void)
{
	world_release(&world);
}

static void folder_fill(void)
{
	folder_make();
	write_file("p.c", c_program);
	write_file("q.cc", cxx_program);
	write_file("r.rs", rust_program);
}

static void expect(const struct frame *frame, const char *function, const char *file, unsigned line,
		   bool inlined)
{
	ck_assert_str_eq(frame->function, function);
	ck_assert_ptr_nonnull(frame->file);
	ck_assert_str_eq(frame->file, in_folder(file));
	ck_assert_uint_eq(frame->line, line);
	ck_assert_int_eq(frame->inlined, inlined);
}

START_TEST(c_frames)
{
	const struct build *with = &c_builds[_i];
	if (!build(with))
		return;
	uint64_t bias = strstr(with->name, "fixed") ? 0 : 0x7f0000000000;
	struct rec_module *module = world_map(&world, in_folder(with->name), bias);
	uint64_t inner = address_of(with->name, "probe_inner", NULL);
	struct frame *frames;
	ck_assert_uint_eq(world_at(&world, inner + bias, &frames), 3);
	expect(&frames[0], "innermost", "p.c", 4, true);
	expect(&frames[1], "middle", "p.c", 9, true);
	expect(&frames[2], "outer", "p.c", 13, false);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_str_eq(frames[i].module, in_folder(with->name));
		ck_assert_uint_eq(frames[i].offset, inner);
		ck_assert_uint_eq(strlen(frames[i].build_id), module->build_id_bytes * 2);
	}

	/* A return address stands for the instruction before it: at the end of a function too. */
	uint64_t bytes;
	uint64_t stack[3];
	stack[0] = address_of(with->name, "probe_outer", NULL) + 1 + bias;
	stack[1] = address_of(with->name, "calls_last", &bytes) + bias;
	stack[1] += bytes;
	stack[2] = 0x10;
	ck_assert_uint_eq(world_frames(&world, stack, 3, 0, 1, &frames), 3);
	expect(&frames[0], "outer", "p.c", 14, false);
	ck_assert_str_eq(frames[1].function, "calls_last");
	ck_assert_uint_eq(frames[1].offset, stack[1] - bias - 1);
	if (bias) {
		ck_assert_ptr_null(frames[2].module);
		ck_assert_ptr_null(frames[2].function);
		ck_assert_uint_eq(frames[2].offset, 0xf);
	}
	ck_assert_str_eq(world_function(&world, address_of(with->name, "outer", NULL) + bias), "outer");
	ck_assert_str_eq(world_note(&world), "");
}
END_TEST

/* Names without spaces, which demanglers put differently. */
static bool same_name(const char *one, const char *other)
{
	for (;; one++, other++) {
		one += strspn(one, " ");
		other += strspn(other, " ");
		if (*one != *other)
			return false;
		if (!*one)
			return true;
	}
}

START_TEST(cxx_frames)
{
	const struct build *with = &cxx_builds[_i];
	if (!build(with))
		return;
	world_map(&world, in_folder(with->name), 0x7f0000000000);
	struct frame *frames;
	uint64_t probe = address_of(with->name, "probe_each", NULL);
	ck_assert_uint_eq(world_at(&world, probe + 0x7f0000000000, &frames), 2);
	ck_assert_ptr_nonnull(strstr(frames[0].function, "each"));
	ck_assert_uint_eq(frames[0].line, 12);
	ck_assert(frames[0].inlined);
	ck_assert_msg(same_name(frames[1].function, "box::row<long>::scan(long const&)"), "%s",
		      frames[1].function);
	ck_assert_str_eq(frames[1].linkage, "_ZN3box3rowIlE4scanERKl");
	ck_assert_uint_eq(frames[1].line, 8);
	ck_assert(!frames[1].inlined);

	uint64_t hidden = address_of(with->name, "_ZN3box12_GLOBAL__N_16hiddenEi", NULL);
	ck_assert_uint_ne(hidden, 0);
	ck_assert_str_eq(world_function(&world, hidden + 0x7f0000000000),
			 "box::(anonymous namespace)::hidden(int)");
}
END_TEST

/* gcc gives no linkage names to what only its own file can see. */
START_TEST(cxx_local_names)
{
	write_file("l.cc",
		   "namespace box { namespace { volatile int sink;\n"
		   "struct row { inline __attribute__((always_inline)) void scan() {\n"
		   "	__asm__ volatile(\"probe_scan: .globl probe_scan\\n\\tnop\"); sink++; } }; } }\n"
		   "template<class F> static inline __attribute__((always_inline)) void call(F f) { f(); }\n"
		   "int main() { call([]() __attribute__((always_inline)) {\n"
		   "	__asm__ volatile(\"probe_lambda: .globl probe_lambda\\n\\tnop\"); box::sink++; });\n"
		   "	box::row().scan(); }\n");
	ck_assert(run("g++ -O2 -g l.cc -o prog"));
	world_map(&world, in_folder("prog"), 0);
	struct frame *frames;
	ck_assert_uint_eq(world_at(&world, address_of("prog", "probe_scan", NULL), &frames), 2);
	ck_assert_str_eq(frames[0].function, "box::(anonymous namespace)::row::scan");
	ck_assert_str_eq(frames[1].function, "main");
	ck_assert_uint_eq(world_at(&world, address_of("prog", "probe_lambda", NULL), &frames), 3);
	ck_assert_str_eq(frames[0].function, "main()::{lambda}::operator()");
	ck_assert_ptr_nonnull(strstr(frames[1].function, "call<"));
}
END_TEST

/* Labels without a size, and lines without functions in the debugging information. */
START_TEST(assembler_frames)
{
	write_file("a.s", ".text\n.globl main\nmain:\n	nop\n	call helper\n	ret\nhelper:\n	nop\n"
			  "probe:\n	ret\n.size probe, .-probe\n.section .note.GNU-stack\n");
	ck_assert(run("as -g a.s -o a.o && gcc a.o -o prog"));
	world_map(&world, in_folder("prog"), 0);
	struct frame *frames;
	uint64_t helper = address_of("prog", "helper", NULL);
	uint64_t stack[2] = { helper, helper };
	ck_assert_uint_eq(world_frames(&world, stack, 2, STACK_EXACT_PC, 1, &frames), 2);
	expect(&frames[0], "helper", "a.s", 8, false);
	expect(&frames[1], "main", "a.s", 6, false);
	ck_assert_str_eq(world_function(&world, address_of("prog", "probe", NULL)), "probe");
}
END_TEST

START_TEST(rust_frames)
{
	const struct build *with = &rust_builds[_i];
	if (!installed("rustc") ||
	    (strstr(with->command, "-Z") && !run("RUSTC_BOOTSTRAP=1 %s", with->command))) {
		printf("  %s: not tested, rustc is not installed or too old\n", with->name);
		return;
	}
	if (!strstr(with->command, "-Z"))
		ck_assert(build(with));
	ck_assert(run("nm %s | grep -o '_[ZR].*4[sS]how.*\\|_R.*4show.*' | grep -v closure | head -1 >symbol",
		      with->name));
	char symbol[512] = "";
	FILE *file = fopen(in_folder("symbol"), "r");
	ck_assert(file && fgets(symbol, sizeof(symbol), file));
	fclose(file);
	symbol[strcspn(symbol, "\n")] = '\0';
	uint64_t bytes;
	uint64_t address = address_of(with->name, symbol, &bytes);
	ck_assert_uint_ne(address, 0);
	world_map(&world, in_folder(with->name), 0);
	/* Demangled, without the hash. */
	const char *function = world_function(&world, address);
	ck_assert_ptr_nonnull(function);
	ck_assert_msg(strstr(function, "Row<") && strstr(function, ">::show"), "%s", function);
	ck_assert_msg(!strstr(function, "::h"), "%s", function);
	struct frame *frames;
	ck_assert_uint_ge(world_at(&world, address, &frames), 1);
	ck_assert_str_eq(frames[0].linkage, symbol);
	ck_assert_str_eq(frames[0].file, in_folder("r.rs"));
	ck_assert_uint_eq(frames[0].line, 4);
}
END_TEST

/* -- the other opinion ------------------------------------------------------- */

/* A path without "." and ".." parts. */
static void clean_path(const char *path, char *clean, size_t size)
{
	size_t used = 0;
	*clean = '\0';
	while (*path) {
		size_t length = strcspn(path, "/");
		if (length == 2 && strncmp(path, "..", 2) == 0) {
			while (used && clean[--used] != '/')
				;
		} else if (length && !(length == 1 && *path == '.') && used + length + 2 < size) {
			clean[used++] = '/';
			memcpy(clean + used, path, length);
			used += length;
		}
		clean[used] = '\0';
		path += length + (path[length] == '/');
	}
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name);
	size_t bytes = strlen(end);
	return length > bytes + 2 && strcmp(name + length - bytes, end) == 0 &&
	       strncmp(name + length - bytes - 2, "::", 2) == 0;
}

/*
 * Whether a frame is what llvm-symbolizer says. It names a file, without a line, for symbols whose file has no
 * debugging information; of two Rust functions that are one it may name the other; and it prefers a label inside
 * a function (our probes) to the function. Where there is no linkage name it says nothing of the class.
 */
static bool agrees(const struct frame *frame, const char *function, char *place)
{
	char ours[1024];
	char theirs[1024];
	place[strcspn(place, "\n")] = '\0';
	char *column = strrchr(place, ':');
	*column = '\0';
	char *line = strrchr(place, ':');
	*line = '\0';
	unsigned long number = strtoul(line + 1, NULL, 10);
	const char *name = frame->linkage ? frame->linkage : frame->function ? frame->function : "??";
	if (strcmp(name, function) != 0 && strncmp(name, "_RN", 3) != 0 &&
	    strncmp(function, "probe_", 6) != 0 && (frame->linkage || !ends_with(name, function)))
		return false;
	if (frame->line != number)
		return false;
	clean_path(frame->file ? frame->file : "", ours, sizeof(ours));
	clean_path(place, theirs, sizeof(theirs));
	return !number || strcmp(ours, theirs) == 0;
}

static void compare_with_llvm(const char *program)
{
	uint64_t low = address_of(program, "_start", NULL);
	uint64_t main_at = address_of(program, "main", NULL);
	ck_assert(low && main_at);
	low = low < main_at ? low : main_at;
	uint64_t high = address_of(program, "_fini", NULL);
	unsigned count = (unsigned)(high > low && (high - low) / 3 < 700 ? (high - low) / 3 : 700);
	struct frame *frames;
	FILE *list = fopen(in_folder("addresses"), "w");
	ck_assert_ptr_nonnull(list);
	for (unsigned i = 0; i < count; i++)
		fprintf(list, "0x%lx\n", low + i * 3);
	fclose(list);
	ck_assert(run("llvm-symbolizer-14 --obj=%s --no-demangle --inlines <addresses >theirs", program));
	FILE *theirs = fopen(in_folder("theirs"), "r");
	ck_assert_ptr_nonnull(theirs);
	unsigned named = 0;
	for (unsigned i = 0; i < count; i++) {
		uint64_t address = low + i * 3;
		size_t frame_count = world_at(&world, address, &frames);
		for (size_t j = 0; j < frame_count; j++) {
			char function[4096];
			char place[4096];
			ck_assert(fgets(function, sizeof(function), theirs) &&
				  fgets(place, sizeof(place), theirs));
			function[strcspn(function, "\n")] = '\0';
			ck_assert_msg(agrees(&frames[j], function, place),
				      "%s 0x%lx frame %zu: ours %s (%s) %s:%u, theirs %s %s", program,
				      address, j, frames[j].function, frames[j].linkage, frames[j].file,
				      frames[j].line, function, place);
			named += frames[j].line != 0;
		}
		char blank[4096];
		ck_assert(fgets(blank, sizeof(blank), theirs) && strcmp(blank, "\n") == 0);
	}
	fclose(theirs);
	ck_assert_uint_gt(named, 20);
}

START_TEST(llvm_agrees)
{
	const struct build *with =
	    _i < (int)COUNT_OF(c_builds) ? &c_builds[_i] : &cxx_builds[_i - COUNT_OF(c_builds)];
	if (!installed("llvm-symbolizer-14")) {
		printf("  %s: not compared, llvm-symbolizer-14 is not installed\n", with->name);
		return;
	}
	if (!build(with))
		return;
	world_map(&world, in_folder(with->name), 0);
	compare_with_llvm(with->name);
}
END_TEST

START_TEST(llvm_agrees_about_rust)
{
	if (!installed("llvm-symbolizer-14") || !build(&rust_builds[0])) {
		printf("  rust: not compared, llvm-symbolizer-14 or rustc is not installed\n");
		return;
	}
	world_map(&world, in_folder("rust"), 0);
	compare_with_llvm("rust");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbolize");
	TCase *frames = tcase_create("frames");
	suite_add_tcase(suite, frames);
	tcase_set_timeout(frames, 60);
	tcase_add_unchecked_fixture(frames, folder_fill, folder_remove);
	tcase_add_checked_fixture(frames, begin, end);
	tcase_add_loop_test(frames, c_frames, 0, COUNT_OF(c_builds));
	tcase_add_loop_test(frames, cxx_frames, 0, COUNT_OF(cxx_builds));
	tcase_add_test(frames, cxx_local_names);
	tcase_add_test(frames, assembler_frames);
	tcase_add_loop_test(frames, rust_frames, 0, COUNT_OF(rust_builds));
	tcase_add_loop_test(frames, llvm_agrees, 0, COUNT_OF(c_builds) + COUNT_OF(cxx_builds));
	tcase_add_test(frames, llvm_agrees_about_rust);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
