#include <check.h>

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "reporter/finding.h"

#include "testprogs/unit/suite.h"

static struct arena arena;
static struct finding_list list;
static struct snapshot snapshot;

static void *pages(size_t bytes)
{
	return calloc(1, bytes);
}

static void pages_free(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static void setup(void)
{
	arena = (struct arena){ .more = pages, .less = pages_free };
	list = (struct finding_list){ .arena = &arena };
	snapshot = (struct snapshot){ .now = 123 };
}

static void teardown(void)
{
	arena_release(&arena);
}

/* -- names ---------------------------------------------------------------------- */

START_TEST(names)
{
	for (int kind = 0; kind < FINDING_COUNT; kind++) {
		ck_assert_int_eq(finding_kind_find(finding_kind_name((unsigned)kind)), kind);
		ck_assert_uint_gt(strlen(finding_kind_words((unsigned)kind)), 10);
		ck_assert_str_ne(severity_name(finding_kind_severity((unsigned)kind)), "");
	}
	ck_assert_int_eq(finding_kind_find("stuck-holder"), FINDING_stuck_holder);
	ck_assert_int_eq(finding_kind_find("no-such-kind"), -1);
	ck_assert_int_eq(finding_kind_find(""), -1);
	ck_assert_str_eq(finding_kind_name(FINDING_COUNT), "unknown");
	ck_assert_str_eq(finding_kind_name(UINT32_MAX), "unknown");
	ck_assert_int_eq(finding_kind_severity(UINT32_MAX), SEVERITY_INFO);
	ck_assert_str_eq(finding_kind_words(UINT32_MAX), "");
	ck_assert_int_eq(finding_kind_severity(FINDING_deadlock), SEVERITY_ERROR);
	ck_assert_int_eq(finding_kind_severity(FINDING_lock_order), SEVERITY_WARNING);
	ck_assert_int_eq(finding_kind_severity(FINDING_blocked), SEVERITY_INFO);
	ck_assert_str_eq(severity_name(SEVERITY_ERROR), "error");
	ck_assert_str_eq(severity_name(SEVERITY_WARNING), "warning");
	ck_assert_str_eq(severity_name(SEVERITY_INFO), "info");
	ck_assert_str_eq(role_name(ROLE_released_again), "released-again");
	ck_assert_str_eq(role_name(ROLE_COUNT), "unknown");
}
END_TEST

/* -- building ------------------------------------------------------------------- */

START_TEST(building)
{
	struct finding *finding = finding_begin(&list, FINDING_long_hold, &snapshot, 2);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_ptr_eq(list.found[0], finding);
	ck_assert_uint_eq(finding->kind, FINDING_long_hold);
	ck_assert_uint_eq(finding->severity, SEVERITY_WARNING);
	ck_assert_uint_eq(finding->at, 123);
	ck_assert_uint_eq(finding->bytes, sizeof(*finding));
	struct finding_item *first = finding_add(finding, ROLE_acquired, 2);
	struct finding_item *second = finding_add(finding, ROLE_now, 2);
	ck_assert_ptr_eq(first, &finding->items[0]);
	ck_assert_ptr_eq(second, &finding->items[1]);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->bytes, sizeof(*finding) + 2 * sizeof(*first));
	ck_assert_uint_eq(finding->bytes % 8, 0);
	/* Past the room: thrown away, but there to be written. */
	struct finding_item *scratch = finding_add(finding, ROLE_waits, 2);
	ck_assert_ptr_nonnull(scratch);
	memset(scratch, 0xff, sizeof(*scratch));
	ck_assert_uint_eq(finding_add(finding, ROLE_waits, 2)->flags, 0);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[1].role, ROLE_now);
	ck_assert_ptr_null(finding_add(NULL, ROLE_now, 2));
}
END_TEST

START_TEST(more_items_than_there_can_be)
{
	struct finding *finding = finding_begin(&list, FINDING_long_hold, &snapshot, UINT32_MAX);
	for (unsigned i = 0; i < FINDING_MAX_ITEMS + 100; i++)
		finding_add(finding, ROLE_waits, UINT32_MAX)->handle = i;
	ck_assert_uint_eq(finding->item_count, FINDING_MAX_ITEMS);
	ck_assert_uint_eq(finding->bytes, FINDING_MAX_BYTES);
	ck_assert_uint_eq(finding->items[FINDING_MAX_ITEMS - 1].handle, FINDING_MAX_ITEMS - 1);
}
END_TEST

START_TEST(a_long_list)
{
	for (unsigned i = 0; i < 1000; i++)
		finding_begin(&list, FINDING_leak, &snapshot, 1)->key = i;
	ck_assert_uint_eq(list.count, 1000);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_uint_eq(list.found[i]->key, i);
	ck_assert(!list.incomplete);
}
END_TEST

static int pages_left;

static void *few_pages(size_t bytes)
{
	return pages_left-- > 0 ? calloc(1, bytes) : NULL;
}

START_TEST(without_memory)
{
	arena.more = few_pages;
	pages_left = 1;
	unsigned made = 0;
	while (made < 100000 && finding_begin(&list, FINDING_leak, &snapshot, 100))
		made++;
	ck_assert_uint_gt(made, 0);
	ck_assert_uint_lt(made, 100000);
	ck_assert(list.incomplete);
	ck_assert_uint_eq(list.count, made);
}
END_TEST

START_TEST(what_items_say)
{
	struct snap_thread thread = { .id = 3, .tid = 4003, .state = THREAD_ENDED, .name = "reader" };
	struct rec_hold hold = { .handle = 1,
				 .since = 2,
				 .stack = 4,
				 .count = 5,
				 .name = 6,
				 .serial = 7,
				 .op = OP_opendir,
				 .kind = KIND_DIRECTORY,
				 .mode = MODE_SHARED };
	struct rec_wait wait = { .handle = 11,
				 .since = 12,
				 .stack = 14,
				 .target = 15,
				 .serial = 17,
				 .op = OP_pthread_join,
				 .kind = KIND_THREAD,
				 .mode = MODE_EXCLUSIVE,
				 .timed = 1 };
	struct finding *finding = finding_begin(&list, FINDING_stuck_holder, &snapshot, 2);
	struct finding_item *item = finding_add(finding, ROLE_opened, 2);
	finding_item_thread(item, &thread);
	finding_item_hold(item, &hold);
	ck_assert_uint_eq(item->role, ROLE_opened);
	ck_assert_uint_eq(item->thread, 3);
	ck_assert_int_eq(item->tid, 4003);
	ck_assert_str_eq(item->thread_name, "reader");
	ck_assert_uint_eq(item->flags, ITEM_ENDED);
	ck_assert_uint_eq(item->handle, 1);
	ck_assert_uint_eq(item->since, 2);
	ck_assert_uint_eq(item->stack, 4);
	ck_assert_uint_eq(item->count, 5);
	ck_assert_uint_eq(item->name, 6);
	ck_assert_uint_eq(item->serial, 7);
	ck_assert_uint_eq(item->op, OP_opendir);
	ck_assert_uint_eq(item->object_kind, KIND_DIRECTORY);
	ck_assert_uint_eq(item->mode, MODE_SHARED);
	item = finding_add(finding, ROLE_waits, 2);
	finding_item_wait(item, &wait);
	ck_assert_uint_eq(item->handle, 11);
	ck_assert_uint_eq(item->since, 12);
	ck_assert_uint_eq(item->stack, 14);
	ck_assert_uint_eq(item->other, 15);
	ck_assert_uint_eq(item->serial, 17);
	ck_assert_uint_eq(item->op, OP_pthread_join);
	ck_assert_uint_eq(item->flags, ITEM_TIMED);
}
END_TEST

/* -- the log -------------------------------------------------------------------- */

static struct rec_header header;
static struct view view;
static _Alignas(8) unsigned char alerts[16384];

static void open_log(void)
{
	setup();
	memset(&header, 0, sizeof(header));
	memset(&view, 0, sizeof(view));
	memset(alerts, 0, sizeof(alerts));
	view.header = &header;
	view.tables[REC_ALERTS] = alerts;
	header.tables[REC_ALERTS].capacity = sizeof(alerts);
}

static struct finding *append(uint32_t items)
{
	struct finding *finding = finding_begin(&list, FINDING_leak, &snapshot, items);
	for (uint32_t i = 0; i < items; i++)
		memcpy(finding_add(finding, ROLE_allocated, items)->thread_name, "worker", sizeof("worker"));
	void *place = alerts + header.tables[REC_ALERTS].used;
	memcpy(place, finding, finding->bytes);
	header.tables[REC_ALERTS].used += finding->bytes;
	return place;
}

static unsigned log_length(void)
{
	unsigned count = 0;
	for (const struct finding *at = NULL; (at = finding_next(&view, at));)
		count++;
	return count;
}

START_TEST(walking)
{
	ck_assert_uint_eq(log_length(), 0);
	for (uint32_t i = 0; i < 5; i++)
		append(i)->key = 100 + i;
	const struct finding *at = NULL;
	for (uint32_t i = 0; i < 5; i++) {
		at = finding_next(&view, at);
		ck_assert_ptr_nonnull(at);
		ck_assert_uint_eq(at->key, 100 + i);
		ck_assert_uint_eq(at->item_count, i);
	}
	ck_assert_ptr_null(finding_next(&view, at));
	/* A new one is found from the last one on. */
	append(1)->key = 7;
	ck_assert_uint_eq(finding_next(&view, at)->key, 7);
	view.tables[REC_ALERTS] = NULL;
	ck_assert_ptr_null(finding_next(&view, NULL));
}
END_TEST

START_TEST(half_written)
{
	append(1);
	/* Claimed, but its bytes have not come yet. */
	header.tables[REC_ALERTS].used += sizeof(struct finding) + sizeof(struct finding_item);
	ck_assert_uint_eq(log_length(), 1);
	/* Its end is not covered (yet). */
	header.tables[REC_ALERTS].used = 0;
	append(1);
	append(2);
	for (unsigned short_of = 1; short_of < sizeof(struct finding) + sizeof(struct finding_item);
	     short_of++) {
		header.tables[REC_ALERTS].used--;
		ck_assert_uint_eq(log_length(), 1);
	}
}
END_TEST

START_TEST(nonsense)
{
	append(1);
	struct finding *finding = append(2);
	const struct finding sound = *finding;
	append(1);
	ck_assert_uint_eq(log_length(), 3);
	static const uint32_t sizes[] = { 1,        8,          sizeof(struct finding) - 8,
					  4001,     4002,       4004,
					  1u << 20, UINT32_MAX, UINT32_MAX - 7 };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		finding->bytes = sizes[i];
		ck_assert_uint_eq(log_length(), 1);
	}
	finding->bytes = sound.bytes + 4; /* the next one would not be aligned */
	ck_assert_uint_eq(log_length(), 1);
	finding->bytes = sound.bytes;
	finding->item_count = 3; /* more than its bytes */
	ck_assert_uint_eq(log_length(), 1);
	finding->item_count = UINT32_MAX;
	ck_assert_uint_eq(log_length(), 1);
	finding->item_count = sound.item_count;
	memset(finding->items[1].thread_name, 'x', REC_NAME_BYTES);
	ck_assert_uint_eq(log_length(), 1);
	finding->items[1].thread_name[REC_NAME_BYTES - 1] = '\0';
	ck_assert_uint_eq(log_length(), 3);
	/* A log that says it is larger than it can be. */
	header.tables[REC_ALERTS].used = UINT64_MAX;
	ck_assert_uint_eq(log_length(), 3);
}
END_TEST

/* -- sorting -------------------------------------------------------------------- */

struct thing {
	unsigned key;
	unsigned char rest[70]; /* larger than what is swapped at once */
};

static bool thing_before(const void *a, const void *b, void *data)
{
	++*(unsigned *)data;
	return ((const struct thing *)a)->key < ((const struct thing *)b)->key;
}

START_TEST(sorting)
{
	srand(7);
	for (size_t count = 0; count < 300; count++) {
		struct thing *things = calloc(count + 1, sizeof(*things));
		unsigned keys[300] = { 0 }, compared = 0;
		for (size_t i = 0; i < count; i++) {
			things[i].key = (unsigned)rand() % 100;
			memset(things[i].rest, (int)things[i].key, sizeof(things[i].rest));
			keys[things[i].key]++;
		}
		things[count].key = 4711;
		sort_items(things, count, sizeof(*things), thing_before, &compared);
		for (size_t i = 0; i < count; i++) {
			ck_assert(!i || things[i - 1].key <= things[i].key);
			unsigned wrong = 0;
			for (size_t byte = 0; byte < sizeof(things[i].rest); byte++)
				wrong += things[i].rest[byte] != things[i].key;
			ck_assert_uint_eq(wrong, 0);
			keys[things[i].key]--;
		}
		for (size_t i = 0; i < COUNT_OF(keys); i++)
			ck_assert_uint_eq(keys[i], 0);
		ck_assert_uint_eq(things[count].key, 4711);
		ck_assert_uint_le(compared, count * 20);
		free(things);
	}
}
END_TEST

int main(void)
{
	Suite *all = suite_create("finding");
	TCase *building_tests = tcase_create("building");
	tcase_add_checked_fixture(building_tests, setup, teardown);
	tcase_add_test(building_tests, names);
	tcase_add_test(building_tests, building);
	tcase_add_test(building_tests, more_items_than_there_can_be);
	tcase_add_test(building_tests, a_long_list);
	tcase_add_test(building_tests, without_memory);
	tcase_add_test(building_tests, what_items_say);
	tcase_add_test(building_tests, sorting);
	suite_add_tcase(all, building_tests);
	TCase *log_tests = tcase_create("log");
	tcase_add_checked_fixture(log_tests, open_log, teardown);
	tcase_add_test(log_tests, walking);
	tcase_add_test(log_tests, half_written);
	tcase_add_test(log_tests, nonsense);
	suite_add_tcase(all, log_tests);
	return suite_run(all) != 0;
}
