/*
 * Which file a name comes from: stripped programs and their separate debug
 * files, files that were replaced, deleted or written too late, modules that
 * took one another's place, the vDSO; and files that are damaged.
 */
#include "symbolize_world.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/context.h"

#include "suite.h"

static const char program[] = "#include <unistd.h>\n"
			      "volatile int sink;\n"
			      "__attribute__((noinline)) int load_row(int n)\n"
			      "{\n"
			      "	return sink += n;\n"
			      "}\n"
			      "int main(int argc, char **argv)\n"
			      "{\n"
			      "	(void)argv;\n"
			      "	if (argc > 1)\n"
			      "		pause();\n"
			      "	return load_row(argc) > 9;\n"
			      "}\n";

static struct world world;
static struct frame *frames;

static void folder_fill(void)
{
	folder_make();
	write_file("p.c", program);
	ck_assert(
	    run("gcc -O2 -g p.c -o full && sed 's/load_row/keep_row/' p.c >k.c && gcc -O2 -g k.c -o other"));
}

static void begin(void)
{
	ck_assert(run("rm -rf prog prog.debug .debug"));
	world_init(&world);
}

static void end(void)
{
	world_release(&world);
}

/* The one frame of an address in the program at "prog", whose parts are those of "full". */
static const struct frame *look_up(uint64_t address)
{
	ck_assert_uint_eq(world_at(&world, address, &frames), 1);
	ck_assert_str_eq(frames[0].module, in_folder("prog"));
	ck_assert_uint_eq(frames[0].offset, address);
	return &frames[0];
}

static void has_line(const struct frame *frame)
{
	ck_assert_ptr_nonnull(frame->function);
	ck_assert_str_eq(frame->function, "load_row");
	ck_assert_str_eq(frame->file, in_folder("p.c"));
	ck_assert_uint_eq(frame->line, 5);
}

static void has_nothing(const struct frame *frame)
{
	ck_assert_ptr_null(frame->function);
	ck_assert_ptr_null(frame->file);
	ck_assert_uint_eq(frame->line, 0);
}

START_TEST(stripped)
{
	ck_assert(run("strip --strip-all full -o prog"));
	world_map(&world, in_folder("prog"), 0);
	has_nothing(look_up(address_of("full", "load_row", NULL)));
	ck_assert_ptr_nonnull(frames[0].build_id);
	ck_assert_ptr_null(world_function(&world, address_of("full", "load_row", NULL)));
}
END_TEST

START_TEST(symbols_alone)
{
	ck_assert(run("strip --strip-debug full -o prog"));
	world_map(&world, in_folder("prog"), 0);
	const struct frame *frame = look_up(address_of("full", "load_row", NULL));
	ck_assert_str_eq(frame->function, "load_row");
	ck_assert_ptr_null(frame->file);
}
END_TEST

START_TEST(dynamic_symbols_alone)
{
	ck_assert(run("gcc -O2 -shared -fPIC p.c -o full.so && strip --strip-all full.so -o prog"));
	world_map(&world, in_folder("prog"), 0);
	const struct frame *frame = look_up(address_of("full.so", "load_row", NULL));
	ck_assert_str_eq(frame->function, "load_row");
	/* What is between the symbols belongs to none of them. */
	has_nothing(look_up(address_of("full.so", "_init", NULL)));
}
END_TEST

START_TEST(clone_suffixes)
{
	write_file("c.c", "int load_row(int n) __asm__(\"load_row.isra.0.cold\");\n"
			  "int load_row(int n) { return n; }\n"
			  "int cxx(int n) __asm__(\"_ZN2db8load_rowEi.constprop.1\");\n"
			  "int cxx(int n) { return n; }\n"
			  "int rust(int n) __asm__(\"_RNvCs1234_7mycrate3foo.llvm.123\");\n"
			  "int rust(int n) { return n; }\n"
			  "int broken(int n) __asm__(\"_ZN99999loadE\");\n"
			  "int broken(int n) { return n; }\n"
			  "int main(void) { return load_row(1) + cxx(2) + rust(3) + broken(4); }\n");
	ck_assert(run("gcc -O0 c.c -o prog"));
	world_map(&world, in_folder("prog"), 0);
	static const char *const names[][2] = {
		{ "load_row.isra.0.cold", "load_row" },
		{ "_ZN2db8load_rowEi.constprop.1", "db::load_row(int)" },
		{ "_RNvCs1234_7mycrate3foo.llvm.123", "mycrate::foo" },
	};
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		const struct frame *frame = look_up(address_of("prog", names[i][0], NULL));
		ck_assert_str_eq(frame->function, names[i][1]);
		ck_assert_str_eq(frame->linkage, names[i][0]);
	}
	const struct frame *frame = look_up(address_of("prog", "_ZN99999loadE", NULL));
	ck_assert_str_eq(frame->function, "_ZN99999loadE");
	ck_assert_ptr_null(frame->linkage);
}
END_TEST

/* -- separate debug files ---------------------------------------------------- */

START_TEST(debug_file_beside)
{
	ck_assert(run("objcopy --only-keep-debug full prog.debug && strip --strip-all full -o prog && "
		      "objcopy --add-gnu-debuglink=prog.debug prog"));
	world_map(&world, in_folder("prog"), 0);
	has_line(look_up(address_of("full", "load_row", NULL)));
}
END_TEST

START_TEST(debug_file_in_folder)
{
	ck_assert(run("objcopy --only-keep-debug full prog.debug && strip --strip-all full -o prog && "
		      "objcopy --add-gnu-debuglink=prog.debug prog && mkdir .debug && mv prog.debug .debug"));
	world_map(&world, in_folder("prog"), 0);
	has_line(look_up(address_of("full", "load_row", NULL)));
}
END_TEST

START_TEST(debug_file_of_another_build)
{
	ck_assert(
	    run("objcopy --only-keep-debug full prog.debug && strip --strip-all full -o prog && "
		"objcopy --add-gnu-debuglink=prog.debug prog && objcopy --only-keep-debug other prog.debug"));
	world_map(&world, in_folder("prog"), 0);
	has_nothing(look_up(address_of("full", "load_row", NULL)));
}
END_TEST

/* Without a build-id the checksum decides. */
START_TEST(debug_file_by_checksum)
{
	ck_assert(
	    run("gcc -O2 -g -Wl,--build-id=none p.c -o anon && objcopy --only-keep-debug anon prog.debug && "
		"strip --strip-all anon -o prog && objcopy --add-gnu-debuglink=prog.debug prog"));
	struct rec_module *module = world_map(&world, in_folder("prog"), 0);
	ck_assert_uint_eq(module->build_id_bytes, 0);
	has_line(look_up(address_of("anon", "load_row", NULL)));
	ck_assert_ptr_null(frames[0].build_id);

	ck_assert(run("printf x >>prog.debug"));
	end();
	world_init(&world);
	world_map(&world, in_folder("prog"), 0);
	has_nothing(look_up(address_of("anon", "load_row", NULL)));
}
END_TEST

START_TEST(debug_file_of_the_system)
{
	static const char libc[] = "/lib/x86_64-linux-gnu/libc.so.6";
	uint8_t id[REC_BUILD_ID_BYTES];
	size_t bytes = build_id_of(libc, id);
	char path[128] = "/usr/lib/debug/.build-id/";
	for (size_t i = 0; i < bytes; i++)
		snprintf(path + strlen(path), sizeof(path) - strlen(path), i ? "%02x" : "%02x/", id[i]);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), ".debug");
	if (!bytes || access(path, R_OK) != 0) {
		printf("  debug_file_of_the_system: not tested, %s is missing (libc6-dbg)\n", path);
		return;
	}
	world_map(&world, libc, 0);
	ck_assert(run("nm -D --format=posix %s | grep '^pthread_mutex_lock@' | head -1 >symbol", libc));
	FILE *file = fopen(in_folder("symbol"), "r");
	uint64_t address;
	ck_assert(file && fscanf(file, "%*s %*c %lx", &address) == 1);
	fclose(file);
	ck_assert_uint_ge(world_at(&world, address, &frames), 1);
	ck_assert_str_eq(frames[0].function, "pthread_mutex_lock");
	ck_assert_ptr_nonnull(strstr(frames[0].file, "pthread_mutex_lock.c"));
	ck_assert_uint_gt(frames[0].line, 0);

	/* The library gone, its debug file alone still names everything. */
	world_release(&world);
	world_init(&world);
	world_map(&world, libc, 0)->path = world_text(&world, "/nowhere/libc.so.6");
	ck_assert_uint_ge(world_at(&world, address, &frames), 1);
	ck_assert_str_eq(frames[0].function, "pthread_mutex_lock");
	ck_assert_uint_gt(frames[0].line, 0);
}
END_TEST

START_TEST(alternate_debug_file)
{
	if (!installed("dwz")) {
		printf("  alternate_debug_file: not tested, dwz is not installed\n");
		return;
	}
	ck_assert(run("cp full prog && cp other second && dwz -m common.debug prog second"));
	world_map(&world, in_folder("prog"), 0);
	has_line(look_up(address_of("full", "load_row", NULL)));
}
END_TEST

START_TEST(mini_debug_info)
{
	if (!installed("xz")) {
		printf("  mini_debug_info: not tested, xz is not installed\n");
		return;
	}
	ck_assert(run("objcopy --only-keep-debug full mini && objcopy -g mini && xz -f mini && strip "
		      "--strip-all full -o prog && "
		      "objcopy --add-section .gnu_debugdata=mini.xz prog"));
	world_map(&world, in_folder("prog"), 0);
	ck_assert_str_eq(look_up(address_of("full", "load_row", NULL))->function, "load_row");
}
END_TEST

/* A server of files: nothing leaves the machine. */
START_TEST(debug_file_of_a_server)
{
	char path[256];
	uint8_t id[REC_BUILD_ID_BYTES];
	char hex[2 * REC_BUILD_ID_BYTES + 1];
	size_t bytes = build_id_of(in_folder("full"), id);
	for (size_t i = 0; i < bytes; i++)
		snprintf(hex + i * 2, 3, "%02x", id[i]);
	ck_assert(run("strip --strip-all full -o prog && rm -rf cache buildid && mkdir -p buildid/%s && "
		      "objcopy --only-keep-debug full buildid/%s/debuginfo",
		      hex, hex));
	world_map(&world, in_folder("prog"), 0);
	has_nothing(look_up(address_of("full", "load_row", NULL)));

	symbolizer_close(world.symbolizer);
	world.symbolizer = symbolizer_open();
	snprintf(path, sizeof(path), "file://%s", in_folder(""));
	setenv("DEBUGINFOD_URLS", path, 1);
	setenv("DEBUGINFOD_CACHE_PATH", in_folder("cache"), 1);
	const struct frame *frame = look_up(address_of("full", "load_row", NULL));
	unsetenv("DEBUGINFOD_URLS");
	unsetenv("DEBUGINFOD_CACHE_PATH");
	if (!frame->function &&
	    !run("ldconfig -p | grep -q libdebuginfod || ls /usr/lib/*/libdebuginfod.so.1"))
		printf("  debug_file_of_a_server: not tested, libdebuginfod is not installed\n");
	else
		has_line(frame);
}
END_TEST

START_TEST(unreadable_compression)
{
	if (!run("objcopy --compress-debug-sections=zstd full prog")) {
		printf("  unreadable_compression: not tested, objcopy can't compress with zstd\n");
		return;
	}
	world_map(&world, in_folder("prog"), 0);
	const struct frame *frame = look_up(address_of("full", "load_row", NULL));
	ck_assert_str_eq(frame->function, "load_row");
	/* A libdw that can read it is welcome. */
	ck_assert(frame->line == 5 || strstr(world_note(&world), "zstd"));
}
END_TEST

START_TEST(split_file_gone)
{
	ck_assert(run("gcc -O2 -g -gsplit-dwarf p.c -o prog && rm -f *.dwo"));
	world_map(&world, in_folder("prog"), 0);
	has_line(look_up(address_of("prog", "load_row", NULL)));
	ck_assert_ptr_nonnull(strstr(world_note(&world), ".dwo"));
}
END_TEST

/* -- the file that ran ------------------------------------------------------- */

START_TEST(replaced)
{
	ck_assert(run("cp full prog"));
	world_map(&world, in_folder("prog"), 0);
	ck_assert(run("cp other prog"));
	has_nothing(look_up(address_of("full", "load_row", NULL)));
	ck_assert_ptr_nonnull(strstr(world_note(&world), "is not the file that ran"));
}
END_TEST

START_TEST(replaced_by_nonsense)
{
	ck_assert(run("cp full prog"));
	world_map(&world, in_folder("prog"), 0);
	static const char *const replacements[] = {
		": >prog",    "echo text >prog",           "rm prog",
		"mkdir prog", "rmdir prog && mkfifo prog", "rm prog && ln -s prog prog"
	};
	for (unsigned i = 0; i < COUNT_OF(replacements); i++) {
		ck_assert(run("%s", replacements[i]));
		symbolizer_close(world.symbolizer);
		world.symbolizer = symbolizer_open();
		has_nothing(look_up(address_of("full", "load_row", NULL)));
		ck_assert_str_ne(world_note(&world), "");
	}
}
END_TEST

START_TEST(written_after_the_end)
{
	ck_assert(run("gcc -O2 -g -Wl,--build-id=none p.c -o prog"));
	struct stat status;
	ck_assert_int_eq(stat(in_folder("prog"), &status), 0);
	uint64_t written = (uint64_t)status.st_mtim.tv_sec * NSEC_PER_SEC;
	world_map(&world, in_folder("prog"), 0);
	world.header.started_mono = NSEC_PER_SEC;
	world.header.ended_mono = 3 * NSEC_PER_SEC;
	world.header.started_real = written + 60 * NSEC_PER_SEC;
	has_line(look_up(address_of("prog", "load_row", NULL)));

	symbolizer_close(world.symbolizer);
	world.symbolizer = symbolizer_open();
	world.header.started_real = written - 60 * NSEC_PER_SEC;
	has_nothing(look_up(address_of("prog", "load_row", NULL)));
	ck_assert_ptr_nonnull(strstr(world_note(&world), "after the program ended"));
}
END_TEST

static uint64_t boot_ticks(pid_t pid)
{
	char line[1024] = "";
	snprintf(line, sizeof(line), "/proc/%d/stat", pid);
	FILE *file = fopen(line, "r");
	ck_assert(file && fgets(line, sizeof(line), file));
	fclose(file);
	const char *at = strrchr(line, ')');
	for (unsigned field = 2; field < 22; field++)
		at = strchr(at + 1, ' ');
	return strtoull(at + 1, NULL, 10);
}

/* Until `pid` has become the program `name`. */
static void wait_for(pid_t pid, const char *name)
{
	char now[64] = "";
	for (unsigned i = 0; i < 1000 && strcmp(now, name) != 0; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		FILE *file = fopen(path, "r");
		ck_assert(file && fgets(now, sizeof(now), file));
		fclose(file);
		now[strcspn(now, "\n")] = '\0';
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	ck_assert_str_eq(now, name);
}

START_TEST(deleted_while_it_runs)
{
	ck_assert(run("cp full prog"));
	pid_t pid = fork();
	if (pid == 0) {
		execl(in_folder("prog"), "prog", "wait", NULL);
		_exit(127);
	}
	ck_assert_int_gt(pid, 0);
	wait_for(pid, "prog");
	struct rec_module *module = world_map(&world, in_folder("prog"), 0);
	module->flags = MODULE_MAIN;
	world.header.pid = pid;
	world.header.started_boot_ticks = boot_ticks(pid);
	ck_assert(run("rm prog"));
	has_line(look_up(address_of("full", "load_row", NULL)));

	/* Another process with the same number has nothing to do with it. */
	symbolizer_close(world.symbolizer);
	world.symbolizer = symbolizer_open();
	world.header.started_boot_ticks--;
	has_nothing(look_up(address_of("full", "load_row", NULL)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

/* In a container the path leads elsewhere. */
START_TEST(inside_another_root)
{
	if (geteuid() != 0) {
		printf("  inside_another_root: not tested, only root may change its root\n");
		return;
	}
	ck_assert(run(
	    "rm -rf jail && mkdir jail && gcc -O2 -g -static-pie p.c -o jail/program && cp other program"));
	uint64_t address = address_of("jail/program", "load_row", NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (chroot(in_folder("jail")) == 0 && chdir("/") == 0)
			execl("/program", "program", "wait", NULL);
		_exit(127);
	}
	ck_assert_int_gt(pid, 0);
	wait_for(pid, "program");
	struct rec_module *module = world_map(&world, in_folder("jail/program"), 0);
	module->path = world_text(&world, "/program");
	world.header.pid = pid;
	world.header.started_boot_ticks = boot_ticks(pid);
	ck_assert_uint_eq(world_at(&world, address, &frames), 1);
	ck_assert_str_eq(frames[0].module, "/program");
	has_line(&frames[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(one_after_the_other)
{
	ck_assert(run("cp full prog"));
	uint64_t address = address_of("full", "load_row", NULL);
	ck_assert_uint_eq(address, address_of("other", "keep_row", NULL));
	struct rec_module *first = world_map(&world, in_folder("prog"), 0);
	first->loaded = 1;
	first->unloaded = 4;
	struct rec_module *second = world_map(&world, in_folder("other"), 0);
	second->loaded = 4;
	world.header.epoch = 4;
	ck_assert_uint_eq(world_frames(&world, &address, 1, STACK_EXACT_PC, 3, &frames), 1);
	ck_assert_str_eq(frames[0].function, "load_row");
	ck_assert_uint_eq(world_frames(&world, &address, 1, STACK_EXACT_PC, 4, &frames), 1);
	ck_assert_str_eq(frames[0].function, "keep_row");
	ck_assert_str_eq(world_function(&world, address), "keep_row");
	/* Nothing there any more: what was there last. */
	second->unloaded = 5;
	world.header.epoch = 5;
	ck_assert_str_eq(world_function(&world, address), "keep_row");
	ck_assert_uint_eq(world_frames(&world, &address, 1, STACK_EXACT_PC, 5, &frames), 1);
	ck_assert_ptr_null(frames[0].module);
}
END_TEST

START_TEST(relative_and_unnamed)
{
	ck_assert(run("cp full prog"));
	struct rec_module *module = world_map(&world, in_folder("prog"), 0);
	module->path = world_text(&world, "prog");
	world.header.cwd = world_text(&world, in_folder(""));
	world.strings[world.header.cwd + strlen(in_folder("")) - 1] = '\0';
	has_line(look_up(address_of("full", "load_row", NULL)));
	/* The loader has no name for the program itself. */
	module->path = 0;
	module->flags = MODULE_MAIN;
	world.header.exe = world_text(&world, in_folder("prog"));
	has_line(look_up(address_of("full", "load_row", NULL)));
	module->path = world_text(&world, in_folder("prog (deleted)"));
	ck_assert_uint_eq(world_at(&world, address_of("full", "load_row", NULL), &frames), 1);
	ck_assert_str_eq(frames[0].function, "load_row");
}
END_TEST

START_TEST(vdso)
{
	uint64_t start = getauxval(AT_SYSINFO_EHDR);
	if (!start) {
		printf("  vdso: not tested, this kernel gives none\n");
		return;
	}
	FILE *file = fopen(in_folder("vdso"), "w");
	ck_assert_ptr_nonnull(file);
	fwrite((const void *)start, 1, 4096, file); /* NOLINT: as much as holds headers and notes */
	fclose(file);
	struct rec_module *module = world_map(&world, in_folder("vdso"), start);
	module->path = world_text(&world, "linux-vdso.so.1");
	unsigned named = 0;
	for (uint64_t at = start; at < start + 8192; at += 16) {
		ck_assert_uint_eq(world_at(&world, at, &frames), 1);
		ck_assert_str_eq(frames[0].module, "[vdso]");
		named += frames[0].function && strstr(frames[0].function, "gettime");
	}
	if (module->build_id_bytes)
		ck_assert_uint_gt(named, 0);
	/* Another kernel's: no guess. */
	symbolizer_close(world.symbolizer);
	world.symbolizer = symbolizer_open();
	module->build_id[0] ^= 1;
	for (uint64_t at = start; at < start + 8192; at += 16) {
		ck_assert_uint_eq(world_at(&world, at, &frames), 1);
		ck_assert_ptr_null(frames[0].function);
	}
}
END_TEST

/* -- damage ------------------------------------------------------------------ */

static uint64_t random_state;

static uint64_t random_number(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

/* Whatever is in the file, each address has its module and offset. Returns how many had a line. */
static unsigned look_at_all(uint64_t address)
{
	unsigned lines = 0;
	symbolizer_close(world.symbolizer);
	world.symbolizer = symbolizer_open();
	for (unsigned i = 0; i < 60; i++) {
		size_t count = world_at(&world, address + i * 4, &frames);
		ck_assert_uint_ge(count, 1);
		for (size_t j = 0; j < count; j++) {
			ck_assert_str_eq(frames[j].module, in_folder("prog"));
			ck_assert_uint_eq(frames[j].offset, address + i * 4);
		}
		lines += frames[count - 1].line != 0;
		arena_reset(&world.arena);
	}
	for (uint64_t at = 0x3000; at < 0x4100; at += 32)
		world_data(&world, at);
	return lines;
}

static char *original;
static size_t original_bytes;

static void damage_one(unsigned round, size_t debug_start)
{
	char *bytes = malloc(original_bytes);
	size_t count = original_bytes;
	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, original, original_bytes);
	random_state = round;
	if (round % 4 == 0) {
		count = random_number(original_bytes);
	} else {
		/* Everywhere, in the debugging information, or in the headers. */
		size_t low = round % 4 == 2 ? debug_start : 0;
		size_t high = round % 4 == 3 ? 1024 : original_bytes;
		for (uint64_t i = 1 + random_number(30); i; i--)
			bytes[low + random_number(high - low)] ^= (char)(1 << random_number(8));
	}
	FILE *file = fopen(in_folder("prog"), "w");
	ck_assert(file && fwrite(bytes, 1, count, file) == count);
	fclose(file);
	free(bytes);
}

START_TEST(damaged)
{
	const char *const builds[] = { "gcc -O2 -g q.cc -o prog -lstdc++",
				       "clang -O2 -g q.cc -o prog -lstdc++",
				       "gcc -O1 -gdwarf-4 -g q.cc -o prog -lstdc++" };
	if (strstr(builds[_i], "clang") && !installed("clang")) {
		printf("  damaged: not tested with clang, which is not installed\n");
		return;
	}
	write_file(
	    "q.cc",
	    "#include <vector>\n#include <string>\n"
	    "struct row { int a; std::string s[2]; } table[4]; static std::vector<row> rows;\n"
	    "int main(int c, char **v) { for (int i = 0; i < c; i++) rows.push_back(row{i, {v[i], v[0]}});\n"
	    "table[c & 3] = rows.back(); return (int)rows.size(); }\n");
	ck_assert(run("%s", builds[_i]));
	ck_assert(run("readelf -SW prog | sed -n 's/.* \\.debug_info *PROGBITS *[0-9a-f]* "
		      "*\\([0-9a-f]*\\).*/\\1/p' >at"));
	FILE *file = fopen(in_folder("at"), "r");
	size_t debug_start;
	ck_assert(file && fscanf(file, "%zx", &debug_start) == 1);
	fclose(file);
	file = fopen(in_folder("prog"), "r");
	struct stat status;
	ck_assert(file && fstat(fileno(file), &status) == 0);
	original_bytes = (size_t)status.st_size;
	original = malloc(original_bytes);
	ck_assert(original && fread(original, 1, original_bytes, file) == original_bytes);
	fclose(file);

	/* Without a build-id, so that no damage to that ends it early. */
	uint64_t address = address_of("prog", "main", NULL);
	world_map(&world, in_folder("prog"), 0)->build_id_bytes = 0;
	unsigned whole = look_at_all(address);
	ck_assert_uint_gt(whole, 20);
	unsigned fewer = 0;
	for (unsigned round = 0; round < 200; round++) {
		damage_one(round, debug_start);
		fewer += look_at_all(address) < whole;
	}
	/* The damage was to something that counts. */
	ck_assert_uint_gt(fewer, 40);
	free(original);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbolize_files");
	TCase *files = tcase_create("files");
	suite_add_tcase(suite, files);
	tcase_set_timeout(files, 120);
	tcase_add_unchecked_fixture(files, folder_fill, folder_remove);
	tcase_add_checked_fixture(files, begin, end);
	const TTest *const tests[] = {
		stripped,
		symbols_alone,
		dynamic_symbols_alone,
		clone_suffixes,
		debug_file_beside,
		debug_file_in_folder,
		debug_file_of_another_build,
		debug_file_by_checksum,
		debug_file_of_the_system,
		alternate_debug_file,
		mini_debug_info,
		debug_file_of_a_server,
		unreadable_compression,
		split_file_gone,
		replaced,
		replaced_by_nonsense,
		written_after_the_end,
		deleted_while_it_runs,
		inside_another_root,
		one_after_the_other,
		relative_and_unnamed,
		vdso,
	};
	for (unsigned i = 0; i < COUNT_OF(tests); i++)
		tcase_add_test(files, tests[i]);
	tcase_add_loop_test(files, damaged, 0, 3);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
