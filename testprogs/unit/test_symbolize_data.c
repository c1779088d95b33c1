/*
 * Names of data: variables, their members and elements, for reports that say
 * "sessions.lock" instead of an address. The program prints each address with
 * the name that it expects.
 */
#include "symbolize_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"

#include "suite.h"

#define HAS_TYPES 1 /* built with debugging information */
#define HAS_NAMES 2 /* built with symbols */

/* ADDRESS, name with types, name with symbols alone. "-": none. */
static const char c_program[] =
    "#include <pthread.h>\n"
    "#include <semaphore.h>\n"
    "#include <stdio.h>\n"
    "struct row { int a; pthread_mutex_t mutex; sem_t s[3]; };\n"
    "struct row table[5];\n"
    "static struct row grid[3][4];\n"
    "pthread_mutex_t cache_lock;\n"
    "struct { long n; struct { pthread_rwlock_t lock; int w; } in;\n"
    "	 union { int i; pthread_spinlock_t spin; }; struct { char c; }; } sessions = { 1 };\n"
    "struct first { pthread_mutex_t lock; int rest; } first;\n"
    "pthread_mutex_t *pointers[4];\n"
    "const pthread_cond_t constant = PTHREAD_COND_INITIALIZER;\n"
    "static void *own(int i) { static pthread_mutex_t locks[4]; static struct row r;\n"
    "	return i ? (void *)&locks[i] : (void *)&r.mutex; }\n"
    "#define SHOW(x, symbol) printf(\"%p %s %s\\n\", (void *)&(x), #x, symbol)\n"
    "int main(void)\n"
    "{\n"
    "	SHOW(cache_lock, \"cache_lock\");\n"
    "	SHOW(table, \"table\");\n"
    "	SHOW(table[3], \"table+432\");\n"
    "	SHOW(table[3].mutex, \"table+440\");\n"
    "	SHOW(table[2].s[1], \"table+368\");\n"
    "	SHOW(grid[2][1].mutex, \"grid+1304\");\n"
    "	SHOW(sessions, \"sessions\");\n"
    "	SHOW(sessions.in.lock, \"sessions+8\");\n"
    "	SHOW(sessions.in.w, \"sessions+64\");\n"
    "	SHOW(sessions.spin, \"sessions+72\");\n"
    "	SHOW(sessions.c, \"sessions+76\");\n"
    "	SHOW(first.lock, \"first\");\n"
    "	SHOW(first.rest, \"first+40\");\n"
    "	SHOW(pointers[2], \"pointers+16\");\n"
    "	printf(\"%p own::locks[2] locks+80\\n\", own(2));\n"
    "	printf(\"%p own::r.mutex r+8\\n\", own(0));\n"
    "	printf(\"%p cache_lock+4 cache_lock+4\\n\", (void *)((char *)&cache_lock + 4));\n"
    "	printf(\"%p table[3].mutex+16 table+456\\n\", (void *)((char *)&table[3].mutex + 16));\n"
    "	printf(\"%p - -\\n\", (void *)&constant);\n"
    "	printf(\"%p - -\\n\", (void *)main);\n"
    "}\n";

static const char cxx_program[] =
    "#include <cstdio>\n"
    "#include <mutex>\n"
    "#include <shared_mutex>\n"
    "namespace db { struct cache { int n; std::mutex guard; static std::mutex shared; };\n"
    "	std::mutex cache::shared; static cache rows[2]; namespace { std::recursive_mutex hidden; } }\n"
    "template<class T> struct pool : std::mutex { T t; std::shared_mutex s; static pool all; };\n"
    "template<class T> pool<T> pool<T>::all;\n"
    "static std::mutex &local() { static std::mutex here; return here; }\n"
    "int main()\n"
    "{\n"
    "	printf(\"%p db::cache::shared db::cache::shared\\n\", (void *)&db::cache::shared);\n"
    "	printf(\"%p db::rows[1].guard db::rows+56\\n\", (void *)&db::rows[1].guard);\n"
    "	db::hidden.lock();\n"
    "	printf(\"%p db::(anonymous_namespace)::hidden db::(anonymous_namespace)::hidden\\n\", (void "
    "*)&db::hidden);\n"
    "	printf(\"%p pool<int>::all pool<int>::all\\n\", (void *)&pool<int>::all);\n"
    "	printf(\"%p pool<int>::all.s pool<int>::all+48\\n\", (void *)&pool<int>::all.s);\n"
    "	printf(\"%p local()::here local()::here\\n\", (void *)&local());\n"
    "}\n";

struct build {
	const char *compiler, *command;
	unsigned has;
};

/* Not PIE: the program prints the file's own addresses. */
static const struct build builds[] = {
	{ "gcc", "gcc -O0 -g -no-pie -w d.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O2 -g -no-pie -w d.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -gdwarf-4 -fdebug-types-section -no-pie -w d.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -g -fdebug-types-section -no-pie -w d.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -g -gsplit-dwarf -no-pie -w d.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -no-pie -w d.c -o prog", HAS_NAMES },
	{ "gcc", "gcc -O1 -g -no-pie -w d.c -o prog && strip prog", 0 },
	{ "clang", "clang -O0 -g -no-pie -w d.c -o prog", HAS_TYPES },
	{ "clang", "clang -O1 -gdwarf-4 -no-pie -w d.c -o prog", HAS_TYPES },
	{ "clang", "clang -O1 -g -gsplit-dwarf -no-pie -w d.c -o prog", HAS_TYPES },
	{ "g++", "g++ -O1 -g -no-pie e.cc -o prog", HAS_TYPES },
	{ "g++", "g++ -O0 -no-pie e.cc -o prog", HAS_NAMES },
	{ "clang++", "clang++ -std=c++17 -O1 -g -no-pie e.cc -o prog", HAS_TYPES },
};

static struct world world;

static void folder_fill(void)
{
	folder_make();
	write_file("d.c", c_program);
	write_file("e.cc", cxx_program);
}

static void begin(void)
{
	world_init(&world);
}

static void end(void)
{
	world_release(&world);
}

START_TEST(data_names)
{
	const struct build *with = &builds[_i];
	if (!installed(with->compiler)) {
		printf("  %s: not tested, it is not installed\n", with->command);
		return;
	}
	ck_assert_msg(run("%s && ./prog >expected", with->command), "%s", with->command);
	world_map(&world, in_folder("prog"), 0);
	FILE *file = fopen(in_folder("expected"), "r");
	ck_assert_ptr_nonnull(file);
	uint64_t address;
	char types[256];
	char names[256];
	unsigned count = 0;
	while (fscanf(file, "%lx %255s %255s", &address, types, names) == 3) {
		char *expected = with->has == HAS_TYPES ? types : names;
		for (char *blank; (blank = strstr(expected, "anonymous_namespace"));)
			blank[9] = ' ';
		const char *found = world_data(&world, address);
		count++;
		if (!with->has && strcmp(expected, "-") != 0) {
			char plain[64];
			snprintf(plain, sizeof(plain), "prog+0x%lx (prog .", address);
			ck_assert_msg(found && strncmp(found, plain, strlen(plain)) == 0,
				      "%s: %s was found to be %s", with->command, types, found);
			continue;
		}
		if (strcmp(expected, "-") == 0) {
			ck_assert_msg(!found, "%s: %s, which has no name, was found to be %s", with->command,
				      types, found);
			continue;
		}
		ck_assert_msg(found != NULL, "%s: %s not found", with->command, expected);
		size_t length = strlen(expected);
		ck_assert_msg(strncmp(found, expected, length) == 0 &&
				  strncmp(found + length, " (prog .", 8) == 0,
			      "%s: %s was found to be %s", with->command, expected, found);
	}
	fclose(file);
	ck_assert_uint_ge(count, 6);
	ck_assert_ptr_null(world_data(&world, 0));
	ck_assert_ptr_null(world_data(&world, UINT64_MAX));
}
END_TEST

START_TEST(data_of_a_library)
{
	write_file("l.c", "int counters[4]; static int hidden; int *get(void) { return &hidden; }\n");
	ck_assert(run("gcc -O1 -shared -fPIC l.c -o whole.so && strip whole.so -o lib.so && gcc -O1 -shared "
		      "-fPIC l.c -o "
		      "whole.so"));
	world_map(&world, in_folder("lib.so"), 0x7f0000000000);
	uint64_t address = address_of("whole.so", "counters", NULL) + 0x7f0000000000;
	ck_assert_str_eq(world_data(&world, address), "counters (lib.so .bss)");
	ck_assert_str_eq(world_data(&world, address + 8), "counters+8 (lib.so .bss)");
	/* A library's hidden variable has no name once it is stripped. */
	char plain[64];
	address = address_of("whole.so", "hidden", NULL);
	snprintf(plain, sizeof(plain), "lib.so+0x%lx (lib.so .bss)", address);
	ck_assert_str_eq(world_data(&world, address + 0x7f0000000000), plain);
}
END_TEST

/* A place each: sort, where the frame is, how far below its end or the thread pointer, the name with types and with symbols. */
static const char places_program[] =
    "#include <pthread.h>\n"
    "#include <stdio.h>\n"
    "struct pair { int n; pthread_mutex_t lock; };\n"
    "static __thread int before; static __thread struct pair mine[2] = { { 1 } };\n"
    "__thread pthread_mutex_t bare;\n"
    "static void __attribute__((noinline)) show(char *end, const char *name, void *at)\n"
    "{ printf(\"stack %p %ld %s -\\n\", __builtin_return_address(0), (long)(end - (char *)at), name); }\n"
    "static void show_local(const char *name, const char *symbol, void *at)\n"
    "{ char *pointer; __asm__(\"mov %%fs:0, %0\" : \"=r\"(pointer));\n"
    "	printf(\"tls 0 %ld %s %s\\n\", (long)(pointer - (char *)at), name, symbol); }\n"
    "static void __attribute__((noinline)) outer(struct pair by_value)\n"
    "{\n"
    "	char *end = __builtin_dwarf_cfa();\n"
    "	pthread_mutex_t lock; struct pair pairs[3]; char rest[64]; int plain;\n"
    "	show(end, \"lock\", &lock);\n"
    "	show(end, \"pairs[2].lock\", &pairs[2].lock);\n"
    "	show(end, \"by_value.lock\", &by_value.lock);\n"
    "	show(end, \"?plain\", &plain);\n"
    "	{ pthread_mutex_t inner; show(end, \"?inner\", &inner); }\n"
    "	show(end, \"-\", end - 8);\n"
    "	show(end, \"?rest[5]\", rest + 5);\n"
    "}\n"
    "int main(void)\n"
    "{\n"
    "	before = 1;\n"
    "	outer(mine[0]);\n"
    "	show_local(\"mine[1].lock\", \"mine+56\", &mine[1].lock);\n"
    "	show_local(\"bare\", \"bare\", &bare);\n"
    "	show_local(\"before\", \"before\", &before);\n"
    "	return 0;\n"
    "}\n";

static const struct build place_builds[] = {
	{ "gcc", "gcc -O0 -g -no-pie -w p.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O2 -g -no-pie -w p.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O2 -g -no-pie -fno-omit-frame-pointer -w p.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -gdwarf-4 -no-pie -w p.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -no-pie -w p.c -o prog", HAS_NAMES },
	{ "clang", "clang -O0 -g -no-pie -w p.c -o prog", HAS_TYPES },
	{ "clang", "clang -O2 -g -no-pie -w p.c -o prog", HAS_TYPES },
	{ "clang", "clang -O1 -gdwarf-4 -no-pie -w p.c -o prog", HAS_TYPES },
	{ "gcc", "gcc -O1 -g -no-pie -w p.c -o prog && strip prog", 0 },
};

START_TEST(variables_of_threads)
{
	const struct build *with = &place_builds[_i];
	if (!installed(with->compiler)) {
		printf("  %s: not tested, it is not installed\n", with->command);
		return;
	}
	write_file("p.c", places_program);
	ck_assert_msg(run("%s && ./prog >expected", with->command), "%s", with->command);
	world_map(&world, in_folder("prog"), 0)->flags = MODULE_MAIN;
	FILE *file = fopen(in_folder("expected"), "r");
	ck_assert_ptr_nonnull(file);
	char sort[16];
	char types[256];
	char names[256];
	uint64_t code;
	int64_t below;
	unsigned count = 0;
	for (; fscanf(file, "%15s %lx %ld %255s %255s", sort, &code, &below, types, names) == 5; count++) {
		const char *expected = with->has == HAS_TYPES ? types : with->has ? names : "-";
		/* Optimised, it may share its memory with another one. */
		bool optional = *expected == '?' && !strstr(with->command, "-O0");
		expected += *expected == '?';
		struct frame found = { .function = NULL };
		struct frame *frames;
		world_frames(&world, &code, 1, 0, 1, &frames);
		struct rec_place place = { .sort = PLACE_TLS, .offset = (uint64_t)below };
		if (strcmp(sort, "stack") == 0)
			place = (struct rec_place){
				.sort = PLACE_STACK, .stack = 8, .frame = 1, .below = (uint64_t)below
			};
		bool known = world.symbolizer->variable(world.symbolizer, &world.view, &place, &found);
		/* What is passed in memory lies in the frame of who calls. */
		if (strcmp(expected, "-") == 0 || below < 0) {
			ck_assert_msg(!known, "%s: %s was found to be %s", with->command, types,
				      found.function);
			continue;
		}
		ck_assert_msg(known || optional, "%s: %s not found", with->command, expected);
		if (!known)
			continue;
		ck_assert_msg(strcmp(found.function, expected) == 0, "%s: %s was found to be %s",
			      with->command, expected, found.function);
		ck_assert_str_eq(found.module, in_folder("prog"));
		ck_assert_msg(with->has != HAS_TYPES || (found.file && found.line) ||
				  strcmp(sort, "tls") == 0,
			      "%s: %s has no line", with->command, expected);
	}
	fclose(file);
	ck_assert_uint_eq(count, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbolize_data");
	TCase *data = tcase_create("data");
	suite_add_tcase(suite, data);
	tcase_set_timeout(data, 60);
	tcase_add_unchecked_fixture(data, folder_fill, folder_remove);
	tcase_add_checked_fixture(data, begin, end);
	tcase_add_loop_test(data, data_names, 0, COUNT_OF(builds));
	tcase_add_test(data, data_of_a_library);
	tcase_add_loop_test(data, variables_of_threads, 0, COUNT_OF(place_builds));
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
