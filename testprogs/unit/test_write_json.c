/*
 * The JSON report: against golden files, against the schema (with reports that it must
 * refuse), and what escaping and numbers must stand.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_report.h"
#include "reporter/write/writers.h"

#include "suite.h"

#define SCHEMA "reporter/write/whoholds-1.schema.json"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* Status of the validator on a text; its words go to standard output. */
static int validate(const char *text)
{
	char path[] = "/tmp/whoholds-test-XXXXXX", command[300];
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	write_file(path, text);
	snprintf(command, sizeof command, "testprogs/unit/validate_json.py " SCHEMA " %s", path);
	int status = system(command);
	unlink(path);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) <= 1,
		      "the validator can't run: scripts/deps.sh test");
	return WEXITSTATUS(status);
}

/* `from` in `text` replaced by `to` once, in memory of its own. */
static char *changed(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	ck_assert_msg(at != NULL, "'%s' is not in the report", from);
	char *copy = calloc(1, strlen(text) + strlen(to) + 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, (size_t)(at - text));
	memcpy(copy + (at - text), to, strlen(to));
	memcpy(copy + (at - text) + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
	return copy;
}

#define ASSERT_HAS(text, piece) ck_assert_msg(strstr(text, piece) != NULL, "'%s' is not in\n%s", piece, text)

START_TEST(test_golden)
{
	static const struct {
		void (*scene)(void);
		const char *name;
	} cases[] = {
		{ fake_scene_stuck_holder, "stuck_holder.json" },
		{ fake_scene_deadlock, "deadlock.json" },
		{ fake_scene_leaks, "leaks.json" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cases[i].scene();
		const char *difference = fake_golden(cases[i].name, fake_written(write_json));
		ck_assert_msg(!difference, "%s", difference);
	}
}
END_TEST

START_TEST(test_schema)
{
	void (*const scenes[])(void) = { fake_scene_stuck_holder, fake_scene_deadlock, fake_scene_leaks,
					 fake_clear };
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		scenes[i]();
		fake_site(fake_stack(fake_function("f", "f.c", 1), UINT64_C(0)), 100, 2);
		fake.report.trigger = (enum trigger)i;
		fake.header->degraded = i ? UINT32_MAX : 0;
		fake.header->flags = i % 2 ? REC_ALLOC_SAMPLED : 0;
		fake.report.signal = (int)i;
		int status = validate(fake_written(write_json));
		ck_assert_int_eq(status, 0);
		fake.report.symbolizer = &symbolizer_plain;
		ck_assert_int_eq(validate(fake_written(write_json)), 0);
	}
}
END_TEST

/* A validator that accepts everything would prove nothing. */
START_TEST(test_schema_refuses)
{
	static const char *const changes[][2] = {
		{ "\"schema\":\"whoholds/1\"", "\"schema\":\"whoholds/2\"" },
		{ "\"trigger\":\"exit\"", "\"trigger\":\"whim\"" },
		{ "\"elapsed_s\":12.4", "\"elapsed_s\":\"12.4\"" },
		{ "\"elapsed_s\":12.4", "\"elapsed_s\":NaN" },
		{ "\"pid\":4242,", "" },
		{ "\"severity\":\"error\"", "\"severity\":\"bad\"" },
		{ "\"state\":\"blocked\"", "\"state\":\"asleep\"" },
		{ "\"offset\":\"0x", "\"offset\":\"" },
		{ "\"waiters\":[4,5,6,7]", "\"waiters\":[\"4\"]" },
		{ "\"id\":\"stuck-holder-", "\"id\":\"stuck-holder-x" },
		{ "\"object\":\"cond:3\"", "\"object\":\"cond:99\"" },
		{ "\"ppid\":4000", "\"pid\":4000" },
		{ "}\n", "}}\n" },
		{ "}\n", "}" },
	};
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		fake_scene_stuck_holder();
		char *text = changed(fake_written(write_json), changes[i][0], changes[i][1]);
		int status = validate(text);
		free(text);
		ck_assert_msg(status == 1, "'%s' for '%s' was accepted", changes[i][1], changes[i][0]);
	}
}
END_TEST

START_TEST(test_escapes)
{
	fake_clear();
	fake.header->exe = fake_text("/opt/\"a\\b\"\n\t\x01\x7f\xff\xc3\xa4\xed\xa0\x80\xe2\x82");
	const char *text = fake_written(write_json);
	ASSERT_HAS(text,
		   "\"exe\":\"/opt/"
		   "\\\"a\\\\b\\\"\\n\\t\\u0001\\u007f\\ufffd\xc3\xa4\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
	/* One line, whatever is in it. */
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(test_arguments)
{
	fake_clear();
	ASSERT_HAS(fake_written(write_json), "\"argv\":[\"server\",\"--port=80\"]");
	fake.header->argv_bytes = 3;
	ASSERT_HAS(fake_written(write_json), "\"argv\":[\"ser\"]");
	fake.header->argv_bytes = 0;
	ASSERT_HAS(fake_written(write_json), "\"argv\":[]");
	/* Numbers that point out of the table. */
	fake.header->argv_bytes = UINT32_MAX;
	ck_assert_ptr_nonnull(fake_written(write_json));
	fake.header->argv = UINT32_MAX;
	ASSERT_HAS(fake_written(write_json), "\"argv\":[]");
}
END_TEST

START_TEST(test_numbers)
{
	fake_clear();
	struct finding *finding = fake_finding(FINDING_leak, 0, 0);
	finding->amount = finding->count = finding->indirect = UINT64_MAX;
	fake.snapshot.live_bytes = UINT64_MAX;
	fake.header->pid = -5;
	const char *text = fake_written(write_json);
	ASSERT_HAS(text, "\"bytes\":18446744073709551615,\"count\":18446744073709551615");
	ASSERT_HAS(text, "\"pid\":-5");
	ASSERT_HAS(text, "\"since_s\":null");
	/* Clocks that run backwards. */
	finding->since = FAKE_NOW + 5;
	fake.header->started_mono = FAKE_NOW + 5;
	text = fake_written(write_json);
	ASSERT_HAS(text, "\"since_s\":0.0");
	ASSERT_HAS(text, "\"elapsed_s\":0.0");
	finding->since = FAKE_NOW - 1234567890;
	ASSERT_HAS(fake_written(write_json), "\"since_s\":1.234567,");
}
END_TEST

START_TEST(test_times)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 1, "1970-01-01T00:00:01Z" },          { 951782400, "2000-02-29T00:00:00Z" },
		{ 951868799, "2000-02-29T23:59:59Z" },  { 951868800, "2000-03-01T00:00:00Z" },
		{ 1709164800, "2024-02-29T00:00:00Z" }, { 1735689599, "2024-12-31T23:59:59Z" },
		{ 4107542400, "2100-03-01T00:00:00Z" },
	};
	fake_clear();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fake.header->started_real = cases[i].seconds * NSEC_PER_SEC + 999999999;
		char piece[64];
		snprintf(piece, sizeof piece, "\"started\":\"%s\"", cases[i].text);
		ASSERT_HAS(fake_written(write_json), piece);
	}
	fake.header->started_real = 0;
	ASSERT_HAS(fake_written(write_json), "\"started\":null");
}
END_TEST

START_TEST(test_sites)
{
	fake_clear();
	stack_id stack = fake_stack(fake_function("f", "f.c", 1), UINT64_C(0));
	for (uint64_t i = 1; i <= 300; i++)
		fake_site(stack, i * 7919 % 301, 1); /* each number once */
	fake_site(stack, 0, 0);
	const char *text = fake_written(write_json);
	ASSERT_HAS(text, "\"sites\":[{\"stack\":8,\"live_bytes\":300,");
	ASSERT_HAS(text, "\"live_bytes\":201,");
	ck_assert_ptr_null(strstr(text, "\"live_bytes\":200,"));
	size_t count = 0;
	for (const char *at = strstr(text, "\"sites\""); at && (at = strstr(at, "\"live_bytes\"")); at++)
		count++;
	ck_assert_uint_eq(count, 100);
}
END_TEST

START_TEST(test_objects)
{
	fake_clear();
	struct snap_thread *thread = fake_thread(1, "server");
	fake_wait(thread, KIND_FD, 5, OP_read, 0, NSEC_PER_SEC);
	struct snap_thread *second = fake_thread(2, "second");
	fake_wait(second, KIND_THREAD, 0xdead, OP_pthread_join, 0, NSEC_PER_SEC)->target = 1;
	struct snap_thread *third = fake_thread(3, "third");
	fake_wait(third, KIND_TIME, 0, OP_nanosleep, 0, NSEC_PER_SEC)->timed = true;
	struct rec_hold *hold =
	    fake_hold(third, KIND_MUTEX, 0x1000, MODE_EXCLUSIVE, OP_pthread_mutex_lock, 0, NSEC_PER_SEC);
	hold->count = 3;
	fake_hold(third, KIND_MUTEX, 0x2000, MODE_EXCLUSIVE, OP_pthread_mutex_lock, 0, NSEC_PER_SEC)->state =
	    HOLD_PARKED;
	fake_object(KIND_MUTEX, 0x1000, "big lock", 0);
	fake_resource(2, KIND_STREAM, 0x3000, OP_fopen, 0, 0);
	fake_resource(77, KIND_STREAM, 0x4000, OP_fopen, 0, 0); /* its owner is gone */
	const char *text = fake_written(write_json);
	ASSERT_HAS(
	    text,
	    "{\"id\":\"fd:1\",\"kind\":\"fd\",\"address\":null,\"name\":\"fd 5\",\"created_stack\":null,"
	    "\"holders\":[],\"waiters\":[1]}");
	ASSERT_HAS(
	    text,
	    "{\"id\":\"thread:1\",\"kind\":\"thread\",\"address\":null,\"name\":\"thread 1 \\\"main\\\"\"");
	ASSERT_HAS(
	    text,
	    "\"waits\":{\"object\":null,\"op\":\"nanosleep\",\"since_s\":1.0,\"stack\":null,\"timed\":true}");
	ASSERT_HAS(text, "\"holds\":[{\"object\":\"lock:3\",\"mode\":\"exclusive\",\"count\":3,\"since_s\":1."
			 "0,\"stack\":null}]");
	ASSERT_HAS(text, "{\"id\":\"lock:3\",\"kind\":\"mutex\",\"address\":\"0x1000\",\"name\":\"big "
			 "lock\",\"created_stack\":null,"
			 "\"holders\":[3],\"waiters\":[]}");
	ASSERT_HAS(
	    text,
	    "\"address\":\"0x2000\",\"name\":null,\"created_stack\":null,\"holders\":[],\"waiters\":[]}");
	ASSERT_HAS(text, "\"address\":\"0x3000\",\"name\":null,\"created_stack\":null,\"holders\":[2]");
	ASSERT_HAS(text, "\"address\":\"0x4000\",\"name\":null,\"created_stack\":null,\"holders\":[77]");
}
END_TEST

START_TEST(test_thread_states)
{
	static const struct {
		unsigned state;
		char kernel;
		bool waiting;
		const char *text;
	} cases[] = {
		{ THREAD_RUNNING, 0, false, "running" },   { THREAD_RUNNING, 0, true, "blocked" },
		{ THREAD_RUNNING, 'S', false, "blocked" }, { THREAD_RUNNING, 'R', false, "running" },
		{ THREAD_ENDED, 0, false, "exited" },      { THREAD_RUNNING, 'Z', false, "exited" },
		{ THREAD_STARTING, 0, false, "running" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fake_clear();
		struct snap_thread *thread = fake_thread(1, "server");
		thread->state = cases[i].state;
		thread->kernel_state = cases[i].kernel;
		thread->waiting = cases[i].waiting;
		char piece[64];
		snprintf(piece, sizeof piece, "\"state\":\"%s\"", cases[i].text);
		ASSERT_HAS(fake_written(write_json), piece);
	}
}
END_TEST

START_TEST(test_incident)
{
	fake_scene_stuck_holder();
	struct finding *over = fake_finding(FINDING_stuck_holder, 3, 41 * NSEC_PER_SEC);
	over->key = fake.findings.found[0]->key;
	over->flags = FOUND_OVER;
	over->over = FAKE_NOW + NSEC_PER_SEC;
	const char *text = fake_written(write_json);
	ASSERT_HAS(text, "\"errors\":1,\"warnings\":0,\"infos\":0,\"resolved\":1,");
	ASSERT_HAS(text, "\"resolved_after_s\":11.3,");
	/* Those of another key, or without one, are others. */
	over->key++;
	ASSERT_HAS(fake_written(write_json), "\"errors\":2,");
	over->key = fake.findings.found[0]->key = 0;
	ASSERT_HAS(fake_written(write_json), "\"errors\":2,");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("json");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_golden);
	tcase_add_test(tests, test_schema);
	tcase_add_test(tests, test_schema_refuses);
	tcase_add_test(tests, test_escapes);
	tcase_add_test(tests, test_arguments);
	tcase_add_test(tests, test_numbers);
	tcase_add_test(tests, test_times);
	tcase_add_test(tests, test_sites);
	tcase_add_test(tests, test_objects);
	tcase_add_test(tests, test_thread_states);
	tcase_add_test(tests, test_incident);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	fake_clear();
	return failed != 0;
}
