/*
 * The reader: what a recording says is what is read; cut short, damaged, of another version or made to deceive it is
 * refused with words, or read as far as it makes sense, and never more than that. Everything that
 * reads it afterwards (snapshot, detectors, writers) is run over what it gave out.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporter/detect/detect.h"
#include "reporter/recording/discover.h"
#include "reporter/recording/maker.h"
#include "reporter/recording/process.h"
#include "reporter/recording/reader.h"
#include "reporter/write/writers.h"
#include "testprogs/unit/place.h"
#include "testprogs/unit/suite.h"

/* In memory, where there is such a place: thousands of files are made and truncated, which disks take their time for. */
static const char *directory;
static char path[96];

/* Two threads that wait for one another, an open iterator, a finding in the log. */
static void make_recording(struct maker *maker)
{
	const uint64_t frames[] = { 0x401000, 0x401100, 0x401200 };
	ck_assert_int_eq(maker_init(maker, 4), 0);
	maker->header.pid = 4242;
	maker->header.started_mono = NSEC_PER_SEC;
	maker->header.ended_mono = 9 * NSEC_PER_SEC;
	maker->header.exe = maker_text(maker, "/opt/server");
	maker->header.run = maker_text(maker, "cafe:77");
	maker->header.argv = maker_bytes(maker, "server\0-x", 10);
	maker->header.argv_bytes = 10;
	maker->header.limits_blocked = NSEC_PER_SEC;
	stack_id stack = maker_stack(maker, frames, 3, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct rec_thread *slot = maker_thread(maker);
		slot->tid = 4242 + (int)i;
		slot->wait_depth = 1;
		slot->waits[0] = (struct rec_wait){
			.handle = 0x1000 + 64 * (1 - i),
			.since = 2 * NSEC_PER_SEC,
			.stack = stack,
			.op = OP_pthread_mutex_lock,
			.kind = KIND_MUTEX,
			.mode = MODE_EXCLUSIVE,
		};
		slot->hold_count = 1;
		slot->holds[0] = (struct rec_hold){
			.handle = 0x1000 + 64 * i,
			.since = NSEC_PER_SEC,
			.stack = stack,
			.count = 1,
			.owner = slot->id,
			.kind = KIND_MUTEX,
			.mode = MODE_EXCLUSIVE,
			.state = HOLD_LIVE,
		};
	}
	const struct rec_module module = { .start = 0x400000, .end = 0x500000, .path = maker->header.exe };
	const struct rec_hold iterator = {
		.handle = 7, .count = 1, .owner = 1, .kind = KIND_ITERATOR, .state = HOLD_LIVE
	};
	maker_module(maker, &module);
	maker_resource(maker, &iterator);
	struct {
		struct finding finding;
		struct finding_item item;
	} leak = { .finding = { .bytes = sizeof leak,
				.kind = FINDING_leak,
				.severity = SEVERITY_ERROR,
				.item_count = 1 },
		   .item = { .role = ROLE_allocated, .stack = stack } };
	maker_finding(maker, &leak, sizeof leak);
	ck_assert(!maker->failed);
}

static void save_recording(void)
{
	struct maker maker;
	make_recording(&maker);
	ck_assert_int_eq(maker_save(&maker, path), 0);
	maker_release(&maker);
}

static void set_up(void)
{
	directory = place_make("test_reader");
	if (!directory)
		ck_abort();
	snprintf(path, sizeof path, "%s/server.4242.whr", directory);
	save_recording();
}

static void tear_down(void)
{
	unlink(path);
	place_remove();
}

/* -- what reads a view ------------------------------------------------------ */

static void *pages(size_t bytes)
{
	return calloc(1, bytes);
}

static void pages_free(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static int count_bytes(struct sink *sink, const char *bytes, size_t count)
{
	(void)bytes;
	*(size_t *)sink->data += count;
	return 0;
}

/* Return: how many bytes the writers made of it. */
static size_t use(const struct view *view)
{
	struct arena arena = { .more = pages, .less = pages_free };
	struct snapshot snapshot;
	struct limits limits = { 0 };
	struct finding_list list = { .arena = &arena };
	size_t bytes = 0;
	struct sink text = { .put = count_bytes, .data = &bytes }, json = text;
	snapshot_take(view, process_last_moment(view->header), &arena, &snapshot);
	limits_from_recording(&limits, view);
	detect_live(&snapshot, &limits, &list);
	detect_end(&snapshot, &limits, &list);
	const struct finding *logged = NULL;
	const struct finding **found = arena_array(&arena, 4096, sizeof *found);
	uint32_t count = 0;
	for (uint32_t i = 0; i < list.count && count < 4096; i++)
		found[count++] = list.found[i];
	while (count < 4096 && (logged = finding_next(view, logged)))
		found[count++] = logged;
	struct report report = {
		.view = view,
		.snapshot = &snapshot,
		.symbolizer = &symbolizer_plain,
		.arena = &arena,
		.trigger = TRIGGER_CRASH,
		.found = found,
		.found_count = count,
		.all_threads = true,
	};
	write_text(&report, &text);
	write_json(&report, &json);
	arena_release(&arena);
	return bytes;
}

static int open_and_use(void)
{
	struct reader reader;
	int error = reader_open(path, &reader);
	if (error) {
		ck_assert_msg(strstr(reader.error, path), "'%s' does not name the file", reader.error);
		ck_assert_ptr_null(strchr(reader.error, '\n'));
		ck_assert_int_eq(reader.fd, -1);
		return error;
	}
	ck_assert_uint_gt(use(&reader.view), 0);
	reader_close(&reader);
	return 0;
}

/* -- good ones --------------------------------------------------------------- */

START_TEST(test_reads_what_was_written)
{
	struct reader reader;
	ck_assert_int_eq(reader_open(path, &reader), 0);
	const struct view *view = &reader.view;
	ck_assert_int_eq(view->header->pid, 4242);
	ck_assert_str_eq(view_text(view, view->header->exe), "/opt/server");
	ck_assert_uint_eq(view_thread_slots(view), 2);
	ck_assert_int_eq(view_thread(view, 1)->tid, 4243);
	const struct rec_stack *stack = view_stack(view, view_thread(view, 0)->waits[0].stack);
	ck_assert_ptr_nonnull(stack);
	ck_assert_uint_eq(stack->count, 3);
	ck_assert_uint_eq(stack->frames[2], 0x401200);
	ck_assert_uint_eq(view_modules(view), 1);
	ck_assert_uint_eq(view_resource(view, 0)->handle, 7);
	const struct finding *finding = finding_next(view, NULL);
	ck_assert_ptr_nonnull(finding);
	ck_assert_int_eq(finding->kind, FINDING_leak);
	ck_assert_ptr_null(finding_next(view, finding));
	ck_assert_str_eq(view_text(view, view->header->run), "cafe:77");
	ck_assert_uint_gt(use(view), 500);
	reader_close(&reader);
	reader_close(&reader);
}
END_TEST

/* A field of the file, by its place. */
static void poke(uint64_t offset, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, count, (off_t)offset), (ssize_t)count);
	close(fd);
}

static uint64_t table_field(enum rec_table_id id, size_t field)
{
	return offsetof(struct rec_header, tables) + id * sizeof(struct rec_table) + field;
}

START_TEST(test_refresh_sees_changes)
{
	struct reader reader;
	struct rec_header header;
	uint32_t alerts = 5;
	ck_assert_int_eq(reader_open(path, &reader), 0);
	poke(offsetof(struct rec_header, alerts), &alerts, sizeof alerts);
	ck_assert_uint_eq(reader.view.header->alerts, 1);
	ck_assert_int_eq(reader_glance(&reader, &header), 0);
	ck_assert_uint_eq(header.alerts, 5);
	ck_assert_uint_eq(reader.view.header->alerts, 1);
	ck_assert_int_eq(reader_refresh(&reader), 0);
	ck_assert_uint_eq(reader.view.header->alerts, 5);
	/* Damaged or gone meanwhile: the last copy stays good. */
	ck_assert_int_eq(truncate(path, 100), 0);
	ck_assert_int_eq(reader_refresh(&reader), -EINVAL);
	ck_assert_uint_gt(use(&reader.view), 500);
	reader_close(&reader);
}
END_TEST

START_TEST(test_torn_slot)
{
	struct reader reader;
	uint32_t odd = 7;
	struct maker maker;
	make_recording(&maker);
	uint64_t slots = maker.header.tables[REC_THREADS].offset;
	maker_release(&maker);
	poke(slots + offsetof(struct rec_thread, changes), &odd, sizeof odd);
	ck_assert_int_eq(reader_open(path, &reader), 0);
	/* It died in the middle of a write: shown, and known to be torn. */
	ck_assert_uint_eq(view_thread(&reader.view, 0)->changes % 2, 1);
	struct arena arena = { .more = pages, .less = pages_free };
	struct snapshot snapshot;
	snapshot_take(&reader.view, process_last_moment(reader.view.header), &arena, &snapshot);
	ck_assert(snapshot_thread(&snapshot, 1)->torn);
	ck_assert(!snapshot_thread(&snapshot, 2)->torn);
	arena_release(&arena);
	reader_close(&reader);
}
END_TEST

START_TEST(test_watcher)
{
	struct reader reader;
	struct rec_header header;
	ck_assert_int_eq(reader_attach(path, &reader), 0);
	/* Whose it is can be told, and nothing else is there. */
	ck_assert_str_eq(view_text(&reader.view, reader.view.header->run), "cafe:77");
	ck_assert_uint_eq(view_thread_slots(&reader.view), 0);
	ck_assert_ptr_null(finding_next(&reader.view, NULL));
	ck_assert_uint_gt(use(&reader.view), 0);
	ck_assert_int_eq(reader_watch(&reader, 99, 12345), 0);
	ck_assert_int_eq(reader_glance(&reader, &header), 0);
	ck_assert_int_eq(header.watcher_pid, 99);
	ck_assert_uint_eq(header.watcher_ticks, 12345);
	ck_assert_int_eq(reader_watch(&reader, 0, 0), 0);
	ck_assert_int_eq(reader_glance(&reader, &header), 0);
	ck_assert_int_eq(header.watcher_pid, 0);
	reader_close(&reader);
}
END_TEST

/* A private recording, in this process's own memory: found by its name, read through /proc. */
START_TEST(test_private)
{
	struct reader reader, there;
	ck_assert_int_eq(reader_open(path, &reader), 0);
	/* No recording of ours is mapped, and nobody else's is taken for it. */
	ck_assert_int_eq(reader_open_pid(getpid(), &there), -ENODATA);
	int fd = memfd_create("whoholds", MFD_CLOEXEC);
	struct stat stat_buffer;
	ck_assert_int_eq(stat(path, &stat_buffer), 0);
	ck_assert_int_eq(ftruncate(fd, stat_buffer.st_size), 0);
	char *at = mmap(NULL, (size_t)stat_buffer.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	close(fd);
	for (unsigned id = 0; id < REC_TABLES; id++)
		if (reader.copies[id])
			memcpy(at + reader.header.tables[id].offset, reader.copies[id],
			       view_used(&reader.view, (enum rec_table_id)id));
	memcpy(at, &reader.header, sizeof reader.header);
	int error = reader_open_pid(getpid(), &there);
	if (error == -EACCES || error == -EPERM)
		return; /* /proc/self/mem is closed here, as in some containers. */
	ck_assert_msg(error == 0, "%s", there.error);
	ck_assert_int_eq(there.memory_of, getpid());
	ck_assert_str_eq(view_text(&there.view, there.view.header->exe), "/opt/server");
	ck_assert_uint_eq(view_thread_slots(&there.view), 2);
	ck_assert_int_eq(reader_watch(&there, 31, 41), 0);
	ck_assert_int_eq(((struct rec_header *)at)->watcher_pid, 31);
	reader_close(&there);
	reader_close(&reader);
	munmap(at, (size_t)stat_buffer.st_size);
}
END_TEST

/* -- bad ones ---------------------------------------------------------------- */

START_TEST(test_not_a_recording)
{
	struct reader reader;
	ck_assert_int_eq(reader_open("/nonexistent/x.whr", &reader), -ENOENT);
	ck_assert_ptr_nonnull(strstr(reader.error, "whoholds list"));
	ck_assert_int_eq(reader_open("/", &reader), -EINVAL);
	ck_assert_ptr_nonnull(strstr(reader.error, "directory"));
	ck_assert_int_eq(reader_open("/dev/zero", &reader), -EINVAL);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(open_and_use(), -EINVAL);
	ck_assert_int_eq(truncate(path, 4096), 0);
	ck_assert_int_eq(open_and_use(), -EINVAL);
	/* A pipe that nobody writes to must not hang the command. */
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(reader_open(path, &reader), -EINVAL);
	ck_assert_int_eq(reader_open_pid(999999999, &reader), -ESRCH);
	ck_assert_ptr_nonnull(strstr(reader.error, "999999999"));
	static char name[2 * READER_PATH_BYTES];
	memset(name, 'x', sizeof name - 1);
	ck_assert_int_eq(reader_open(name, &reader), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_other_version_or_machine)
{
	struct reader reader;
	uint32_t version = 7000, header_bytes = 64;
	uint64_t swapped = __builtin_bswap64(REC_MAGIC), magic = 1;
	poke(offsetof(struct rec_header, version), &version, sizeof version);
	ck_assert_int_eq(reader_open(path, &reader), -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(reader.error, "version 7000, this command reads "));
	save_recording();
	poke(0, &swapped, sizeof swapped);
	ck_assert_int_eq(reader_open(path, &reader), -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(reader.error, "byte order"));
	poke(0, &magic, sizeof magic);
	ck_assert_int_eq(open_and_use(), -EINVAL);
	save_recording();
	poke(offsetof(struct rec_header, header_bytes), &header_bytes, sizeof header_bytes);
	ck_assert_int_eq(open_and_use(), -EBADMSG);
}
END_TEST

START_TEST(test_tables_that_lie)
{
	static const uint64_t lies[] = {
		0, 1, 7, 4095, UINT64_MAX, UINT64_MAX / 2, UINT64_C(1) << 40, INT64_MAX, 64 << 20
	};
	static const size_t fields[] = { offsetof(struct rec_table, offset),
					 offsetof(struct rec_table, capacity),
					 offsetof(struct rec_table, used) };
	for (unsigned id = 0; id < REC_TABLES; id++)
		for (size_t field = 0; field < COUNT_OF(fields); field++)
			for (size_t lie = 0; lie < COUNT_OF(lies); lie++) {
				save_recording();
				poke(table_field((enum rec_table_id)id, fields[field]), &lies[lie],
				     sizeof lies[lie]);
				int error = open_and_use();
				ck_assert_msg(error == 0 || error == -EBADMSG, "table %u: %s", id,
					      strerror(-error));
			}
	/* More used than there is room for, and tables that lie upon one another. */
	uint64_t used = (UINT64_C(64) << 20) + 4096, offset = REC_HEADER_BYTES;
	save_recording();
	poke(table_field(REC_STACKS, offsetof(struct rec_table, used)), &used, sizeof used);
	ck_assert_int_eq(open_and_use(), -EBADMSG);
	save_recording();
	poke(table_field(REC_STACKS, offsetof(struct rec_table, offset)), &offset, sizeof offset);
	ck_assert_int_eq(open_and_use(), -EBADMSG);
}
END_TEST

START_TEST(test_cut_short)
{
	struct reader reader;
	struct maker maker;
	make_recording(&maker);
	/* The last table that holds anything. */
	uint64_t end = maker.header.tables[REC_ALERTS].offset + maker.header.tables[REC_ALERTS].used;
	uint64_t slots = maker.header.tables[REC_THREADS].offset;
	maker_release(&maker);
	/* All that matters is there: what was cut was room to grow. */
	ck_assert_int_eq(truncate(path, (off_t)end), 0);
	ck_assert_int_eq(open_and_use(), 0);
	ck_assert_int_eq(truncate(path, (off_t)end - 1), 0);
	ck_assert_int_eq(reader_open(path, &reader), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(reader.error, "truncated"));
	ck_assert_int_eq(truncate(path, (off_t)slots + 100), 0);
	ck_assert_int_eq(open_and_use(), -EBADMSG);
	for (off_t size = 0; size < 4096; size += 61) {
		save_recording();
		ck_assert_int_eq(truncate(path, size), 0);
		ck_assert_int_ne(open_and_use(), 0);
	}
}
END_TEST

/*
 * Bits flipped and numbers replaced wherever something is: an error or a report, never a fault. Twenty thousand
 * files or so a run under the sanitizers, the same ones each time.
 */
START_TEST(test_hostile)
{
	struct maker maker;
	srand(1000 + (unsigned)_i);
	make_recording(&maker);
	for (int round = 0; round < 1000; round++) {
		save_recording();
		int changes = 1 + rand() % 8;
		for (int i = 0; i < changes; i++) {
			unsigned id = (unsigned)rand() % (REC_TABLES + 1);
			uint64_t from = 0, bytes = sizeof(struct rec_header);
			if (id < REC_TABLES) {
				from = maker.header.tables[id].offset;
				bytes = maker.header.tables[id].used;
			}
			if (!bytes)
				continue;
			/* The magic number and the version have tests of their own. */
			uint64_t at = from + (uint64_t)rand() % bytes;
			if (at < 16)
				continue;
			uint64_t value =
			    rand() % 3 ? (uint64_t)1 << rand() % 64 : (uint64_t)rand() * (uint64_t)rand();
			if (rand() % 8 == 0)
				value = UINT64_MAX - (uint64_t)(rand() % 64);
			poke(rand() % 2 ? at : at & ~UINT64_C(7), &value, (size_t)1 << rand() % 4);
		}
		open_and_use();
	}
	maker_release(&maker);
}
END_TEST

/* -- where recordings are, and whose they are ---------------------------------- */

START_TEST(test_discovery)
{
	struct discovery discovery;
	char other[96], link[96], found[DISCOVER_PATH_BYTES];
	setenv("WHOHOLDS_DIR", directory, 1);
	snprintf(other, sizeof other, "%s/readme.txt", directory);
	snprintf(link, sizeof link, "%s/link.1.whr", directory);
	ck_assert_int_ge(close(creat(other, 0600)), 0);
	ck_assert_int_eq(symlink("/etc/passwd", link), 0);
	ck_assert_int_eq(discover(&discovery), 0);
	ck_assert_uint_eq(discovery.count, 1);
	ck_assert_str_eq(discovery.found[0].path, path);
	ck_assert_int_eq(discovery.found[0].pid, 4242);
	ck_assert_uint_gt(discovery.found[0].disk_bytes, 0);
	discovery_release(&discovery);
	ck_assert_int_eq(discover_directory(0, found), 0);
	ck_assert_str_eq(found, directory);
	ck_assert_int_eq(discover_directory(1, found), -ENOENT);
	ck_assert_int_eq(discover_make_directory(directory, found), 0);
	ck_assert_str_eq(found, directory);
	ck_assert_int_eq(discover_make_directory("/nonexistent/deep", found), -ENOENT);
	ck_assert_int_eq(discover_make_directory(path, found), 0 - ENOTDIR);
	setenv("WHOHOLDS_DIR", "/nonexistent/deep", 1);
	ck_assert_int_eq(discover(&discovery), 0);
	ck_assert_uint_eq(discovery.count, 0);
	discovery_release(&discovery);
	unsetenv("WHOHOLDS_DIR");
	unlink(other);
	unlink(link);
}
END_TEST

START_TEST(test_processes)
{
	struct process_stat stat;
	struct rec_header header = { .state = REC_RUNNING };
	ck_assert_int_eq(process_stat(getpid(), 0, &stat), 0);
	ck_assert_int_eq(stat.parent, getppid());
	ck_assert_int_ge(stat.threads, 1);
	ck_assert(!process_is_zombie(&stat));
	ck_assert_int_eq(process_stat(999999999, 0, &stat), -ESRCH);
	ck_assert_int_eq(process_stat(getpid(), 0, &stat), 0);
	header.pid = getpid();
	header.started_boot_ticks = stat.started_boot_ticks;
	ck_assert_int_eq(process_of(&header), getpid());
	/* The same number, another process. */
	header.started_boot_ticks--;
	ck_assert_int_eq(process_of(&header), 0);
	/* A child that has ended and was not waited for. */
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	do
		ck_assert_int_eq(process_stat(child, 0, &stat), 0);
	while (stat.state != 'Z');
	ck_assert(process_is_zombie(&stat));
	header.pid = child;
	header.started_boot_ticks = stat.started_boot_ticks;
	ck_assert_int_eq(process_of(&header), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reader");
	TCase *good = tcase_create("good"), *bad = tcase_create("bad"), *around = tcase_create("around");
	TCase *cases[] = { good, bad, around };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		tcase_add_checked_fixture(cases[i], set_up, tear_down);
		tcase_set_timeout(cases[i], 300);
		suite_add_tcase(suite, cases[i]);
	}
	tcase_add_test(good, test_reads_what_was_written);
	tcase_add_test(good, test_refresh_sees_changes);
	tcase_add_test(good, test_torn_slot);
	tcase_add_test(good, test_watcher);
	tcase_add_test(good, test_private);
	tcase_add_test(bad, test_not_a_recording);
	tcase_add_test(bad, test_other_version_or_machine);
	tcase_add_test(bad, test_tables_that_lie);
	tcase_add_test(bad, test_cut_short);
	tcase_add_loop_test(bad, test_hostile, 0, 8);
	tcase_add_test(around, test_discovery);
	tcase_add_test(around, test_processes);
	return suite_run(suite) != 0;
}
