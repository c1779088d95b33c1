/* Options: every key with good, bad, empty and huge values; lists; messages; what is written is read back the same. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "options.h"

#include "testprogs/unit/suite.h"

static char message[400];

static int set(struct options *into, const char *key, const char *value)
{
	struct text error = TEXT_OF(message);
	message[0] = '\0';
	return options_set(into, key, value, &error);
}

static const struct {
	const char *key, *good[6], *bad[8], *beyond[6];
} keys[] = {
	{ "alloc", { "exact", "sample", "off" }, { "Exact", "on", "exact|off", "1", " off" }, { NULL } },
	{ "sample_bytes",
	  { "1KiB", "1GiB", "65536", "1.5MiB" },
	  { "much", "-1", "1kib", "64K" },
	  { "0", "1023", "2GiB", "99999999999999999999999" } },
	{ "check", { "none", "heap" }, { "on", "stack" }, { NULL } },
	{ "check_kept",
	  { "1MiB", "64GiB", "8388608" },
	  { "much", "8mib", "-1" },
	  { "0", "1048575", "65GiB" } },
	{ "locks", { "on", "off" }, { "yes", "1", "ON" }, { NULL } },
	{ "iterators", { "on", "off" }, { "yes", "true" }, { NULL } },
	{ "descriptors", { "on", "off" }, { "yes", "1" }, { NULL } },
	{ "mappings", { "on", "off" }, { "yes", "1" }, { NULL } },
	{ "pairs", { "none", "/tmp/a:b", "x.conf" }, { "" }, { NULL } },
	{ "depth",
	  { "1", "64", "256" },
	  { "-1", "1.5", "ten", "0x10", " 1", "1 " },
	  { "0", "257", "99999999999999999999999999" } },
	{ "tick",
	  { "1ms", "100ms", "1h", "1.5s" },
	  { "100", "1e9", "fast", "-1s", "1 d" },
	  { "0", "0ms", "2h", "99999999999999999999999h" } },
	{ "blocked",
	  { "1ms", "10s", "off", "1000h" },
	  { "abc", "10", "10 days", "on" },
	  { "0", "1001h", "0.5ms" } },
	{ "held", { "5m", "off" }, { "x", "s" }, { "0s" } },
	{ "iterating", { "5m", "off" }, { "x", "OFF" }, { "0s" } },
	{ "iteration_slow",
	  { "p99 > 1.8s for 1m", "P99 > 20ms for 1s", "2s for 10m", "off" },
	  { "p50 > 1s for 1m", "1.8s", "p99 > 1.8 for 1m", "p99 for 1m", "1s for", "1s in 1m" },
	  { "p99 > 0s for 1m", "1s for 0s" } },
	{ "spans",
	  { "0.1%", "100%", "0.0001%", "12.5%", "off" },
	  { "0.1", "all", ".5%", "1.%", "-1%", "1%%", "1.2.3%" },
	  { "0%", "101%", "0.00001%", "99999999999999999999999%" } },
	{ "idle_blocked", { "5m", "off" }, { "x", "none" }, { "0s", "1001h" } },
	{ "heap_growth",
	  { "50MB/s for 3s", "1KiB/s for 1m", "off", "10/s for 1h" },
	  { "50MB", "50MB for 3s", "50MB/s", "fast/s for 3s", "50MB/s for ever", "50MB/s for 3" },
	  { "0/s for 3s", "1MB/s for 0s" } },
	{ "thread_growth",
	  { "200% in 5m", "off", "1% in 1s" },
	  { "200%", "200 in 5m", "in", "200% in", "in 5m", "200% for 5m" },
	  { "0% in 5m", "99999999999999% in 5m", "10% in 0s" } },
	{ "growth", { "5m", "1s", "off" }, { "on", "5" }, { "0s", "10ms", "1001h" } },
	{ "rss_growth",
	  { "50MB/s for 10s", "off" },
	  { "50MB", "50MB/s", "fast/s for 3s" },
	  { "0/s for 3s", "1MB/s for 0s" } },
	{ "fragmentation", { "400% in 1m", "off" }, { "400%", "400 in 1m" }, { "0% in 5m", "10% in 0s" } },
	{ "trim", { "on", "off" }, { "yes" }, { NULL } },
	{ "leaks", { "exit", "off", "5m", "1s", "1000h" }, { "on", "never", "5" }, { "0", "1ms", "1001h" } },
	{ "possible_leaks", { "on", "off" }, { "yes" }, { NULL } },
	{ "pointers",
	  { "plain", "mask 0xffffffffffff", "xor 0x5a5a", "mask 0xfffffffffff8 xor 0x1" },
	  { "mask", "xor 5", "mask 0x", "mask 0xfg", "hidden", "mask 0x1 xor", "xor 0x0" },
	  { NULL } },
	{ "log", { "stderr", "/tmp/a:b", "%n.%p" }, { NULL }, { NULL } },
	{ "json", { "none", "x.json" }, { NULL }, { NULL } },
	{ "action", { "report", "abort", "exec:gcore $1" }, { "exec", "exec:", "kill", "Report" }, { NULL } },
	{ "children", { "yes", "no" }, { "on", "y" }, { NULL } },
	{ "max_memory",
	  { "10%", "100%", "1%", "off", "2GiB", "1MiB" },
	  { "10", "ten%", "%", "-1%", "10 %%" },
	  { "0%", "101%", "1KiB", "0" } },
	{ "stack_depth", { "90%", "off", "99%", "1%" }, { "2GiB", "5", "x" }, { "0%", "100%" } },
	{ "max_overhead", { "5%", "off", "100%" }, { "2GiB", "5", "x" }, { "0%", "1000%" } },
	{ "keep", { "on", "off" }, { "yes" }, { NULL } },
	{ "verify_stacks", { "0", "1", "1000000000" }, { "on", "-1", "1/2" }, { "1000000001" } },
};

/* A mistake says the key, the value and what is allowed, and changes nothing. */
static void refuse(const char *key, const char *value, int error)
{
	struct options before, after;
	options_init(&before);
	options_init(&after);
	int got = set(&after, key, value);
	if (error == -ERANGE && got == -EINVAL)
		ck_abort_msg("%s=%s: taken for no such value, not for one out of range", key, value);
	ck_assert_msg(got == -EINVAL || got == -ERANGE, "%s='%s' was taken", key, value);
	ck_assert_msg(strstr(message, key), "'%s' does not name %s", message, key);
	ck_assert_msg(strlen(value) > 60 || !*value || strstr(message, value), "'%s' does not name %s",
		      message, value);
	ck_assert_msg(strstr(message, "allowed") || strstr(message, "at most"),
		      "'%s' does not say what is allowed", message);
	ck_assert(memcmp(&before, &after, sizeof before) == 0);
}

START_TEST(test_every_key)
{
	size_t entries = 0;
	for (const struct option_entry *entry = option_table; entry->name; entry++)
		entries++;
	ck_assert_uint_eq(entries, COUNT_OF(keys));
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		ck_assert_str_eq(keys[i].key, option_table[i].name);
		struct options options_now;
		options_init(&options_now);
		for (size_t j = 0; j < COUNT_OF(keys[i].good) && keys[i].good[j]; j++)
			ck_assert_msg(set(&options_now, keys[i].key, keys[i].good[j]) == 0, "%s=%s: %s",
				      keys[i].key, keys[i].good[j], message);
		for (size_t j = 0; j < COUNT_OF(keys[i].bad) && keys[i].bad[j]; j++)
			refuse(keys[i].key, keys[i].bad[j], -EINVAL);
		for (size_t j = 0; j < COUNT_OF(keys[i].beyond) && keys[i].beyond[j]; j++)
			refuse(keys[i].key, keys[i].beyond[j], -ERANGE);
		refuse(keys[i].key, "", 0);
	}
}
END_TEST

START_TEST(test_huge_values)
{
	static char huge[100000];
	memset(huge, '9', sizeof huge - 1);
	for (const struct option_entry *entry = option_table; entry->name; entry++) {
		refuse(entry->name, huge, 0);
		ck_assert_uint_lt(strlen(message), 300);
	}
	/* One byte less than too long. */
	struct options options_now;
	options_init(&options_now);
	huge[OPTION_TEXT_BYTES - 1] = '\0';
	ck_assert_int_eq(set(&options_now, "log", huge), 0);
	ck_assert_str_eq(options_now.log, huge);
}
END_TEST

START_TEST(test_defaults)
{
	struct options now;
	options_init(&now);
	ck_assert_int_eq(now.alloc, ALLOC_EXACT);
	ck_assert_uint_eq(now.sample_bytes, 512 * 1024);
	ck_assert(now.locks && now.iterators && now.children && !now.keep);
	ck_assert_uint_eq(now.depth, 64);
	ck_assert_uint_eq(now.verify_stacks, 0);
	ck_assert_uint_eq(now.tick, 100 * NSEC_PER_MSEC);
	ck_assert_uint_eq(now.blocked, 10 * NSEC_PER_SEC);
	ck_assert_uint_eq(now.idle_blocked, 0);
	ck_assert_uint_eq(now.heap_growth_rate, 50000000);
	ck_assert_uint_eq(now.heap_growth_for, 3 * NSEC_PER_SEC);
	ck_assert_uint_eq(now.thread_growth_percent, 200);
	ck_assert_uint_eq(now.thread_growth_in, 300 * NSEC_PER_SEC);
	ck_assert(now.leaks_at_exit && !now.leaks_every);
	ck_assert_uint_eq(now.max_memory_percent, 10);
	ck_assert_uint_eq(now.max_overhead_percent, 0);
	ck_assert_str_eq(now.log, "stderr");
	ck_assert_str_eq(now.json, "none");
	ck_assert_str_eq(now.action, "report");
}
END_TEST

START_TEST(test_unknown_keys)
{
	static const struct {
		const char *key, *nearest;
	} cases[] = {
		{ "bloked", "blocked" }, { "blockd", "blocked" },       { "idle-blocked", "idle_blocked" },
		{ "Depth", "depth" },    { "maxmemory", "max_memory" }, { "children_", "children" },
		{ "leak", "leaks" },     { "ticks", "tick" },
	};
	struct options now;
	options_init(&now);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ck_assert_int_eq(set(&now, cases[i].key, "1"), -ENOENT);
		ck_assert_msg(strstr(message, cases[i].key) && strstr(message, cases[i].nearest), "%s",
			      message);
	}
	ck_assert_int_eq(set(&now, "frobnicate", "1"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(message, "help options"));
	ck_assert_int_eq(set(&now, "", "1"), -ENOENT);
	ck_assert_int_eq(set(&now, "a\033[31mb", "1"), -ENOENT);
	ck_assert_ptr_null(strchr(message, '\033'));
	static char huge[5000];
	memset(huge, 'k', sizeof huge - 1);
	ck_assert_int_eq(set(&now, huge, "1"), -ENOENT);
	ck_assert_uint_lt(strlen(message), 300);
}
END_TEST

static int complaints;
static char complaint[400];

static void note(const char *text)
{
	complaints++;
	strncpy(complaint, text, sizeof complaint - 1);
}

static int parse(struct options *into, const char *list)
{
	complaints = 0;
	complaint[0] = '\0';
	options_init(into);
	int mistakes = options_parse(into, list, note);
	ck_assert_int_eq(mistakes, complaints);
	return mistakes;
}

START_TEST(test_lists)
{
	struct options now;
	ck_assert_int_eq(parse(&now, ""), 0);
	ck_assert_int_eq(parse(&now, "blocked=1s:held=2s"), 0);
	ck_assert_uint_eq(now.blocked, NSEC_PER_SEC);
	ck_assert_uint_eq(now.held, 2 * NSEC_PER_SEC);
	ck_assert_int_eq(parse(&now, "::blocked=1s:"), 0);
	ck_assert_uint_eq(now.blocked, NSEC_PER_SEC);
	/* The last one counts. */
	ck_assert_int_eq(parse(&now, "depth=1:depth=2"), 0);
	ck_assert_uint_eq(now.depth, 2);
	/* A mistake does not spoil its neighbours. */
	ck_assert_int_eq(parse(&now, "bloked=1s:tick=0:depth=7:what:held=3s"), 3);
	ck_assert_uint_eq(now.depth, 7);
	ck_assert_uint_eq(now.held, 3 * NSEC_PER_SEC);
	ck_assert_uint_eq(now.tick, 100 * NSEC_PER_MSEC);
	ck_assert_int_eq(parse(&now, "what"), 1);
	ck_assert_ptr_nonnull(strstr(complaint, "key=value"));
}
END_TEST

START_TEST(test_values_with_colons)
{
	struct options now;
	ck_assert_int_eq(parse(&now, "log=/tmp/a:b:c.log:depth=3"), 0);
	ck_assert_str_eq(now.log, "/tmp/a:b:c.log");
	ck_assert_uint_eq(now.depth, 3);
	ck_assert_int_eq(parse(&now, "depth=3:action=exec:logger a:b x=y:z=1"), 0);
	ck_assert_str_eq(now.action, "exec:logger a:b x=y:z=1");
	ck_assert_int_eq(parse(&now, "json=a:json=b"), 0);
	ck_assert_str_eq(now.json, "b");
	ck_assert_int_eq(parse(&now, "log=x:"), 0);
	ck_assert_str_eq(now.log, "x:");
	/* Only texts may hold one. */
	ck_assert_int_eq(parse(&now, "depth=3:4"), 1);
}
END_TEST

START_TEST(test_list_with_huge_value)
{
	static char list[3 * OPTION_TEXT_BYTES];
	struct options now;
	memset(list, 'x', sizeof list - 1);
	memcpy(list, "log=", 4);
	memcpy(list + sizeof list - 10, ":depth=3", 9);
	ck_assert_int_eq(parse(&now, list), 1);
	ck_assert_ptr_nonnull(strstr(complaint, "log"));
	ck_assert_str_eq(now.log, "stderr");
	ck_assert_uint_eq(now.depth, 3);
}
END_TEST

START_TEST(test_written_is_read)
{
	char bytes[8192];
	struct options now, again;
	struct text text = TEXT_OF(bytes);
	options_init(&now);
	options_write(&now, &text);
	ck_assert_uint_eq(text.used, 0);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		for (size_t j = 0; j < COUNT_OF(keys[i].good) && keys[i].good[j]; j++) {
			options_init(&now);
			ck_assert_int_eq(set(&now, keys[i].key, keys[i].good[j]), 0);
			text = TEXT_OF(bytes);
			bytes[0] = '\0';
			options_write(&now, &text);
			ck_assert_int_eq(parse(&again, bytes), 0);
			ck_assert_msg(memcmp(&now, &again, sizeof now) == 0, "%s=%s was written as '%s'",
				      keys[i].key, keys[i].good[j], bytes);
		}
	/* A time that is no whole number of milliseconds. */
	ck_assert_int_eq(set(&now, "blocked", "1.000001ms"), 0);
	ck_assert_uint_eq(now.blocked, 1000001);
	text = TEXT_OF(bytes);
	options_write(&now, &text);
	ck_assert_int_eq(parse(&again, bytes), 0);
	ck_assert_uint_eq(again.blocked, 1000001);
}
END_TEST

/* Nothing that the environment may hold breaks it; sanitizers watch. */
START_TEST(test_rubbish)
{
	static const char letters[] = "abcdefhiklmnoprstuvwxyz_=:%0123456789./ \033\xff";
	struct options now;
	char list[64];
	srand(7);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)rand() % (sizeof list - 1);
		for (size_t i = 0; i < length; i++)
			list[i] = letters[(size_t)rand() % (sizeof letters - 1)];
		list[length] = '\0';
		options_init(&now);
		options_parse(&now, list, note);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_every_key);
	tcase_add_test(tests, test_huge_values);
	tcase_add_test(tests, test_defaults);
	tcase_add_test(tests, test_unknown_keys);
	tcase_add_test(tests, test_lists);
	tcase_add_test(tests, test_values_with_colons);
	tcase_add_test(tests, test_list_with_huge_value);
	tcase_add_test(tests, test_written_is_read);
	tcase_add_test(tests, test_rubbish);
	suite_add_tcase(suite, tests);
	return suite_run(suite) != 0;
}
